/** Unit files that the machine tests use, one for each way in which a unit can be. */

const service = (lines: string, unit = '') => `${unit ? `[Unit]\n${unit}\n` : ''}[Service]\n${lines}\n`;

export const UNITS = {
  'sleeper.service': service('ExecStart=/bin/sleep infinity'),
  'other.service': service('ExecStart=/bin/sleep infinity'),
  'mayfly.service': service('ExecStart=/bin/sleep infinity', 'StartLimitIntervalSec=0'),
  'revived.service': service('ExecStart=/bin/sleep infinity\nRestart=always\nRestartSec=50ms'),
  'crasher.service': service(
    'ExecStart=/bin/sh -c "exit 3"\nRestart=on-failure\nRestartSec=20ms',
    'StartLimitIntervalSec=60\nStartLimitBurst=3',
  ),
  'job.service': service('Type=oneshot\nExecStart=/bin/true'),
  'mark.service': service('Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true'),
  'bad-job.service': service('Type=oneshot\nExecStart=/bin/sh -c "exit 7"'),
  'broken.service': service('Type=simple'),
  'slow.service': service('Type=oneshot\nExecStart=/bin/sleep 60\nTimeoutStartSec=300ms'),
  'endless.service': service('Type=oneshot\nExecStart=/bin/sleep 600\nTimeoutStartSec=infinity'),
  'needy.service': service(
    'ExecStart=/bin/sleep infinity',
    'Requires=bad-job.service\nAfter=bad-job.service',
  ),
  'stubborn.service': service(
    'ExecStart=/bin/sh -c "trap \'exit 5\' TERM; touch /run/stubborn; sleep 600 & wait"\nRestart=always',
  ),
  'short.service': service('ExecStart=/bin/sh -c "sleep 0.15; exit 4"'),
  'picky.service': service('ExecStart=/bin/sleep infinity', 'ConditionPathExists=/nowhere'),
  'reserved.service': service('ExecStart=/bin/sleep infinity', 'RefuseManualStart=yes'),
  'web@.service': service('ExecStart=/bin/sleep infinity'),
  'nickname.service': `${service('ExecStart=/bin/sleep infinity')}[Install]\nAlias=nick.service\n`,
  'tick.timer': '[Timer]\nOnCalendar=yearly\nUnit=job.service\n',
  'ear.socket': '[Socket]\nListenStream=/run/ear.sock\nAccept=yes\n',
  'ear@.service': service('ExecStart=/bin/true'),
  'scratch.mount': '[Mount]\nWhat=tmpfs\nWhere=/scratch\nType=tmpfs\n',
};

/** Lets one user start, stop and restart exactly one unit. */
export const polkitRule = (user: string, unit: string, verbs: readonly string[]) => `
polkit.addRule(function (action, subject) {
  if (action.id == "org.freedesktop.systemd1.manage-units" && subject.user == "${user}" &&
      action.lookup("unit") == "${unit}" && ${JSON.stringify(verbs)}.indexOf(action.lookup("verb")) >= 0)
    return polkit.Result.YES;
});
`;
