import { join } from 'node:path';
import { boot } from './ops/runtime/boot.js';
import { localToken } from './ops/runtime/local-token.js';

// Node-RED's settings. Everything that a person may want to change is in .env (see .env.example).
const { config, storage, log } = boot(__dirname);

module.exports = {
  uiHost: config.editorBind,
  uiPort: config.port,
  userDir: join(config.dataDir, 'node-red'),
  nodesDir: [__dirname],

  storageModule: storage,
  // Flows hold `${NAME}` references only, so there is nothing to encrypt; the storage refuses real secrets.
  credentialSecret: false,
  contextStorage: { default: { module: 'memory' } },

  adminAuth: config.editorPasswordHash
    ? {
        type: 'credentials',
        users: [{ username: config.editorUser, password: config.editorPasswordHash, permissions: '*' }],
        tokens: localToken(config.dataDir),
      }
    : undefined,
  // Without a login only this machine may call, and no web page from elsewhere may make the browser do so.
  httpAdminMiddleware: config.editorPasswordHash ? undefined : log.onlyLoopbackHosts,

  externalModules: {
    autoInstall: false,
    palette: { allowInstall: false, allowUpdate: false, allowUpload: false },
    modules: { allowInstall: false, autoInstall: false },
  },
  functionExternalModules: false,
  telemetry: { enabled: false, updateNotification: false },
  diagnostics: { enabled: true, ui: false },
  runtimeState: { enabled: false, ui: false },
  exportGlobalContextKeys: false,
  nodeCloseTimeout: 15_000,

  logging: { console: { level: 'off' }, potion: { level: config.logLevel, handler: log.handler } },

  editorTheme: {
    page: { title: `${config.serverName} · Potion` },
    header: { title: config.serverName },
    projects: { enabled: false },
    tours: false,
    palette: { categories: { order: ['sense', 'judge', 'act', 'tell'] } },
    codeEditor: { lib: 'monaco' },
  },
};
