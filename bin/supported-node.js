// Starts lukhas on a Node.js that it supports. Parsed by whatever Node.js the user has, so nothing here may be newer
// than Node.js 12: no `?.`, no `??`, no top-level await.

/**
 * The same as `engines` in package.json. Without version 10 of Node-API, which came with 22.14 and 23.6, better-sqlite3
 * ends the process with a segmentation fault.
 */
export const SUPPORTED = '^22.14 || >=24';

/** Set for the second process alone: its file descriptor 3 ends when the first one does. */
const HANDED_OVER = 'LUKHAS_HANDED_OVER';

/** Signals that reach the first process alone and are passed on. SIGTSTP is another matter, see `runOn`. */
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'];

/**
 * Calls `start`. On an older Node.js the same command line runs again, on the Node.js that `npm ci` puts into a
 * checkout; where there is none, one line on stderr says what is needed, and the exit code is 2.
 * @param {() => Promise<unknown>} start loads everything else: nothing native is loaded on an older Node.js
 */
export function onSupportedNode(start) {
  // Whoever closed standard error does not want to be told.
  process.stderr.on('error', () => undefined);
  if (!isSupported(process.versions.node)) return handOver();
  if (process.env[HANDED_OVER]) endWithFirst();
  let settled = false;
  const settle = () => {
    settled = true;
  };
  // Otherwise a command that waits for something that never comes would end silently, with exit code 0.
  process.once('exit', () => {
    if (settled || process.exitCode !== undefined) return;
    process.stderr.write('lukhas: ended before the command was finished (a bug in lukhas)\n');
    process.exitCode = 13;
  });
  return start().then(settle);
}

export function isSupported(version) {
  const [major, minor] = version.split('.').map(Number);
  return major >= 24 || (major === 22 && minor >= 14);
}

function handOver() {
  return Promise.all([import('node:child_process'), import('node:fs'), import('node:os'), import('node:url')]).then(
    ([{ spawn }, { existsSync, realpathSync }, { constants }, { fileURLToPath }]) => {
      const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
      const own = path('../node_modules/node/bin/node');
      const usable = process.platform !== 'win32' && existsSync(own) && realpathSync(own) !== process.execPath;
      if (usable) runOn(own, spawn, constants.signals);
      else refuse(existsSync(path('../package-lock.json')) ? '; `npm ci` installs one for this checkout' : '');
    },
  );
}

/** `kill -9` cannot be passed on. */
function endWithFirst() {
  delete process.env[HANDED_OVER];
  import('node:net').then(({ Socket }) => {
    const first = new Socket({ fd: 3 });
    first.once('close', () => process.kill(process.pid, 'SIGKILL'));
    first.resume().unref();
  });
}

function refuse(advice) {
  const found = process.versions.node;
  process.stderr.write(`lukhas: Node.js ${found} is not supported: 22.14, or 24 or newer, is required${advice}\n`);
  process.exitCode = 2;
}

/**
 * The child gets a session of its own. In one process group with this process, a Ctrl-C would reach it twice, from the
 * terminal and from here, and a second one ends lukhas at once instead of letting it finish.
 */
function runOn(node, spawn, signalNumbers) {
  const args = process.execArgv.concat(process.argv.slice(1));
  const env = Object.assign({}, process.env, { [HANDED_OVER]: '1' });
  const child = spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', 'pipe'], detached: true, env });
  for (const signal of PASSED_ON) process.on(signal, () => child.kill(signal));
  // Ctrl-Z stops both, `fg` lets both go on. Where no shell could let them go on, the second line has no effect.
  process.once('SIGTSTP', function suspend() {
    child.kill('SIGSTOP');
    process.kill(process.pid, 'SIGTSTP');
    child.kill('SIGCONT');
    process.once('SIGTSTP', suspend);
  });
  child.once('error', (error) => {
    process.stderr.write(`lukhas: cannot start ${node}: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    // Ends as the child did, so that a shell sees the same; the exit code is for a signal that this process ignores.
    process.exitCode = 128 + signalNumbers[signal];
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
