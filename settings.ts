import { join } from 'node:path';
import { boot } from './ops/runtime/boot.js';

// Node-RED's settings. Everything that a person may want to change is in .env (see .env.example).
const { config, storage, log, door } = boot(__dirname);

module.exports = {
  uiHost: config.editorBind,
  uiPort: config.port,
  userDir: join(config.dataDir, 'node-red'),
  nodesDir: [__dirname],

  storageModule: storage,
  // Flows hold `${NAME}` references only, so there is nothing to encrypt; the storage refuses real secrets.
  credentialSecret: false,
  contextStorage: { default: { module: 'memory' } },

  // Who gets in is decided before Node-RED sees a request: ops/runtime/door.
  adminAuth: door.adminAuth,
  httpAdminMiddleware: door.httpAdminMiddleware,

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
    page: { title: `${config.serverName} · Potion`, scripts: door.theme.scripts },
    header: { title: config.serverName },
    userMenu: door.theme.userMenu,
    projects: { enabled: false },
    tours: false,
    palette: { categories: { order: ['sense', 'judge', 'act', 'tell'] } },
    codeEditor: { lib: 'monaco' },
  },
};
