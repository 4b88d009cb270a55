import type { Hook } from '@oclif/core';
import { EXIT } from '../lib/errors.js';
import { nearest } from '../lib/input/problems.js';

/** A mistyped command is a usage error in one line; nothing is asked and nothing is run in its stead. */
const hook: Hook.CommandNotFound = async ({ id, config }) => {
  const typed = id.replaceAll(':', ' ');
  const known = config.commandIDs.map((name) => name.replaceAll(':', ' '));
  const meant = nearest(typed, known);
  const hint = meant === null ? 'lukhas --help lists the commands.' : `Did you mean: lukhas ${meant}?`;
  if (process.argv.includes('--json')) {
    const error = { code: 'USAGE', message: `no command "${typed}"`, suggestions: [hint], exit: EXIT.usage };
    process.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`);
  } else process.stderr.write(`lukhas: no command "${typed}"\n  ${hint}\n`);
  process.exit(EXIT.usage);
};

export default hook;
