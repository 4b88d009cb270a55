/**
 * What every program may know of where it runs: who and where it is, its language and time zone, where temporary files go, whom
 * it trusts. No credentials. `LUKHAS_MCP_DB` is a path, so that a program that runs lukhas finds the same log.
 */
const INHERITED = new Set([
  ...[
    'PATH',
    'HOME',
    'USER',
    'LOGNAME',
    'SHELL',
    'TERM',
    'NO_COLOR',
    'LANG',
    'LANGUAGE',
    'TZ',
    'TMPDIR',
    'TMP',
    'TEMP',
  ],
  ...['LC_ALL', 'LC_COLLATE', 'LC_CTYPE', 'LC_MEASUREMENT', 'LC_MESSAGES', 'LC_MONETARY', 'LC_NUMERIC', 'LC_TIME'],
  ...['XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME', 'XDG_RUNTIME_DIR'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'LUKHAS_MCP_DB'],
]);

const PROXIES = new Set(['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'FTP_PROXY', 'NO_PROXY']);

/** Without these hardly a program starts on Windows, where names have no case. */
const OF_WINDOWS = new Set([
  ...['SYSTEMROOT', 'SYSTEMDRIVE', 'WINDIR', 'COMSPEC', 'PATH', 'PATHEXT', 'USERNAME', 'USERPROFILE', 'HOMEDRIVE'],
  ...['HOMEPATH', 'APPDATA', 'LOCALAPPDATA', 'PROGRAMDATA', 'PROGRAMFILES', 'PROGRAMFILES(X86)'],
]);

/** Whoever has one of these can act as lukhas itself: sign its log, or speak for its clients. No entry can name them. */
const NEVER_PASSED = new Set(['LUKHAS_MCP_API_KEYS', 'LUKHAS_LOG_KEY_FILE', 'LUKHAS_EXPORT_KEY_FILE']);

/** Whether no program may have the variable, whatever its entry names. */
function isNeverPassed(name: string): boolean {
  return NEVER_PASSED.has(name.toUpperCase());
}

/** Why an entry of the configuration cannot name the variable, in words that follow the name of the key; null when it can. */
function passEnvProblem(name: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return 'must be the name of an environment variable, not its value';
  if (isNeverPassed(name)) return `${name} is a credential of lukhas itself, and is passed to no program`;
  return null;
}

/** For `superRefine` of a zod schema. */
export function isPassEnv(name: string, context: { addIssue(issue: { code: 'custom'; message: string }): void }): void {
  const message = passEnvProblem(name);
  if (message !== null) context.addIssue({ code: 'custom', message });
}

/**
 * What a program that we start finds in its environment: a short list, and what its entry names. Everything else stays here, as any
 * variable may hold a credential.
 * @param named variables of `env` that the program needs besides
 */
export function programEnvironment(
  env: Readonly<NodeJS.ProcessEnv>,
  named: readonly string[] = [],
  platform: NodeJS.Platform = process.platform,
): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name, value]) => !isNeverPassed(name) && (named.includes(name) || isInherited(name, value ?? '', platform)),
  );
  return Object.fromEntries(kept);
}

function isInherited(name: string, value: string, platform: NodeJS.Platform): boolean {
  if (INHERITED.has(name)) return true;
  // Written in capitals and without; an address with a user name is a credential.
  if (PROXIES.has(name.toUpperCase())) return !value.includes('@');
  return platform === 'win32' && OF_WINDOWS.has(name.toUpperCase());
}
