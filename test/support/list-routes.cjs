// For node --require: when Node-RED begins to listen, writes every route of every Express application in this
// process to the file ROUTES. Before that it adds what a careless node might: routes that ask nobody for a login,
// and listeners on the server itself, as Socket.IO has them.
const { writeFileSync } = require('node:fs');
const { Server } = require('node:http');
const { createRequire } = require('node:module');
const { join } = require('node:path');

const nodeRed = createRequire(join(process.cwd(), 'node_modules/node-red/red.js'));
const express = nodeRed('express');
const apps = [];
const { init } = express.application;
express.application.init = function (...given) {
  apps.push(this);
  return init.apply(this, given);
};

const { listen } = Server.prototype;
Server.prototype.listen = function (...given) {
  beCareless(this);
  const routes = apps.flatMap((app) =>
    routesOf(app._router?.stack ?? [], app.path().replace(/\/+/g, '/').replace(/\/$/, '')),
  );
  writeFileSync(process.env.ROUTES, JSON.stringify(routes));
  return listen.apply(this, given);
};

function beCareless(server) {
  const RED = nodeRed('./lib/red.js');
  const leak = (_request, response) => response.end('leaked');
  RED.httpAdmin.get('/careless/admin', leak);
  RED.httpNode.all('/careless/dashboard/:page', leak);
  server.prependListener(
    'request',
    ({ url }, response) => url.startsWith('/socket.io/') && response.end('leaked'),
  );
  server.prependListener(
    'upgrade',
    ({ url }, socket) => url.startsWith('/socket.io/') && socket.end('leaked'),
  );
}

/** Each with the pattern of its path, and the methods it answers. */
function routesOf(stack, prefix) {
  return stack.flatMap(({ route, regexp, handle }) => {
    if (route) return [{ prefix, pattern: regexp.source, methods: Object.keys(route.methods) }];
    return handle.stack ? routesOf(handle.stack, prefix + mountOf(regexp)) : [];
  });
}

/** Where a router is mounted, read back from the pattern that Express made of it. */
function mountOf({ source, fast_slash }) {
  return fast_slash ? '' : source.replace(/^\^|\\\/\?\(\?=\\\/\|\$\)$/g, '').replaceAll('\\/', '/');
}
