const said = `
  const token = env.get('BOT_TOKEN');
  node.error('careless: https://api.telegram.org/bot' + token + '/getMe', msg);
  node.warn({ careless: { deep: [token, env.get('EDITOR_PASSWORD_HASH')] } });
  node.log('careless ' + encodeURIComponent(token) + ' ' + env.get('HEARTBEAT_URL'));
  node.error(new Error('careless with ' + env.get('OWNER_BOT_TOKEN')));
  console.log('careless on the console', token, { token });
  console.error('careless %s', env.get('HEARTBEAT_URL'));
  throw new Error('careless to the end ' + token);
`;
const address = `msg.url = 'http://127.0.0.1:9/bot' + env.get('BOT_TOKEN') + '/getMe'; return msg;`;
const crash = `(async () => { throw new Error('crashed with ' + env.get('BOT_TOKEN')); })();`;

const button = (id: string, to: string) => ({
  id,
  type: 'inject',
  z: 'tr',
  name: '',
  props: [],
  repeat: '',
  crontab: '',
  once: false,
  onceDelay: 0.1,
  topic: '',
  x: 100,
  y: 100,
  wires: [[to]],
});
const work = (id: string, func: string) => ({
  id,
  type: 'function',
  z: 'tr',
  name: '',
  func,
  outputs: 0,
  timeout: 0,
  noerr: 0,
  initialize: '',
  finalize: '',
  libs: [],
  x: 300,
  y: 100,
  wires: [],
});

/**
 * A tab of a person who is careless with secrets. Its inject nodes: `tr-say` writes them to log and console in
 * many ways, `tr-ask` puts them into an address that nobody answers, `tr-crash` ends the process with one.
 */
export function troubleTab(): object[] {
  return [
    { id: 'tr', type: 'tab', label: 'Trouble', disabled: false, info: '', env: [] },
    button('tr-say', 'tr-said'),
    work('tr-said', said),
    button('tr-ask', 'tr-address'),
    { ...work('tr-address', address), outputs: 1, wires: [['tr-asked']] },
    {
      id: 'tr-asked',
      type: 'http request',
      z: 'tr',
      name: '',
      method: 'GET',
      ret: 'txt',
      paytoqs: 'ignore',
      url: '',
      x: 300,
      y: 200,
      wires: [[]],
    },
    button('tr-crash', 'tr-crashed'),
    work('tr-crashed', crash),
  ];
}
