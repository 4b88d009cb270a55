import { Errors, type Hook } from '@oclif/core';
import { printJson, tell } from '../cli/screen.js';
import { EXIT } from '../lib/errors.js';
import { nearest } from '../lib/input/index.js';

/** A mistyped command is a usage error in one line; nothing is asked and nothing is run in its stead. */
const hook: Hook.CommandNotFound = async ({ id, config }) => {
  const typed = id.replaceAll(':', ' ');
  const [topic = '', ...rest] = typed.split(' ');
  const known = config.commandIDs.map((name) => name.replaceAll(':', ' '));
  const within = known.filter((name) => name.startsWith(`${topic} `));
  // Within a topic only the rest of the words can be wrong: "canary lst" is near "canary list", "canary foo" near none.
  const last = nearest(
    rest.join(' '),
    within.map((name) => name.slice(topic.length + 1)),
  );
  const meant = within.length > 0 ? last && `${topic} ${last}` : nearest(typed, known);
  const help = within.length > 0 ? `lukhas ${topic} --help` : 'lukhas --help';
  const hint = meant ? `Did you mean: lukhas ${meant}?` : `${help} lists the commands.`;
  if (process.argv.includes('--json')) {
    const error = { code: 'USAGE', message: `no command "${typed}"`, suggestions: [hint], exit: EXIT.usage };
    printJson({ error });
  } else tell(`lukhas: no command "${typed}"\n  ${hint}`);
  Errors.exit(EXIT.usage);
};

export default hook;
