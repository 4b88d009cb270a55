/**
 * Credentials in addresses. What is recorded is recorded for ever, so an address that holds one is refused where it is given
 * (url.ts), and one that is in an old log is masked wherever it is shown (visible.ts). Both ask here. Pure.
 */

/** Stands for what was masked. */
const MASK = '***';

/** A part of an address that holds a credential, in words. */
export type SecretPart =
  | 'a user name or password'
  | 'a token or key in its path'
  | 'a token or key in its query or fragment';

/** Names of parameters, by the words that they are made of: `api_key`, `X-Amz-Signature`, `accessToken`. */
const WORDS = new Set([
  ...['token', 'key', 'apikey', 'secret', 'password', 'passwd', 'pwd', 'pass', 'passphrase', 'auth', 'authorization'],
  ...['bearer', 'sig', 'sign', 'signature', 'credential', 'credentials', 'creds', 'jwt', 'hmac', 'sas', 'otp'],
  ...['session', 'sessionid', 'sid', 'passcode', 'cred', 'tok'],
]);
/** The same, written together. */
const ENDINGS =
  /(?:token|secret|password|passwd|passcode|userpass|signature|credentials?|(?:auth|access)tok|(?:api|access|app|auth|client|private|secret|shared|subscription|account|routing|integration)keys?)$/;

/**
 * What well-known services give out, by its beginning, whose case is fixed; also behind something else (`backup-ghp_...`). None
 * searches on to the end of the text from each place where it could begin.
 */
const KNOWN_VALUES = new RegExp(
  `(?<![A-Za-z0-9])(?:${[
    'gh[opusr]_\\w{20}',
    'github_pat_\\w{20}',
    'gl(?:pat|ptt|soat)-[\\w-]{16}',
    'gl(?:sa|c)_\\w{20}',
    'x(?:ox[a-z]|app)-[\\w-]{10}',
    'sk-(?:proj-|svcacct-|ant-\\w+-)?\\w{20}',
    '[prs]k_(?:live|test)_\\w{10}',
    'A(?:KIA|SIA)[A-Z0-9]{16}',
    'AIza[\\w-]{30}',
    'ya29\\.[\\w-]{10}',
    'eyJ[\\w-]{5,1000}\\.[\\w-]{4}',
    'whsec_[\\w+/=-]{8}',
    '(?:npm|hf|pul|dop_v1)[_-]\\w{20}',
    'hv[bs]\\.[\\w-]{10}',
    'SG\\.[\\w-]{10,}\\.[\\w-]{10}',
    'dapi[0-9a-f]{32}',
    'pypi-\\w{20}',
    '(?:bot)?\\d{6,}:[\\w-]{30}',
  ].join('|')})`,
);
/** As it stands in a header. */
const HEADER_VALUE = /^(?:basic|bearer|token)\s+\S{8}/i;
/** What stands before the host of an address, where the rest of that address is elsewhere or cut. Not `fraud:v2@sha256:...`. */
const USER_AND_PASSWORD = /^[^\s/?#@:]*:[^\s/?#@]+@(?!sha\d+:)[^\s@]/;
/** Of an image, after its name and tag. */
const DIGEST = /@sha\d+:[0-9a-f]{32,}$/i;

/** How many addresses and encodings within each other are looked into: each is looked into in several ways. */
const DEEPEST = 3;

/**
 * Paths that are themselves the credential: whoever knows one can post. At hosts of services, and the forms of what people run
 * themselves. Group 1 is what is masked.
 */
const SECRET_PATHS: readonly (readonly [host: RegExp, path: RegExp])[] = [
  [/^(?:hooks\.slack(?:-gov)?\.com|hooks\.zapier\.com|hc-ping\.com|webhook\.site|maker\.ifttt\.com)$/i, /^\/+(.+)$/],
  [/^hook\.(?:[\w-]+\.)?(?:make|integromat)\.com$/i, /^\/+(.+)$/],
  [/(?:^|\.)discord(?:app)?\.com$/i, /\/webhooks\/(.+)$/i],
  [/(?:^|\.)office(?:365)?\.com$/i, /\/webhook(?:b2)?\/(.+)$/i],
  [/(?:^|\.)(?:feishu\.cn|larksuite\.com)$/i, /\/hook\/(.+)$/i],
  [/(?:^|\.)pagerduty\.com$/i, /\/integration\/([^/]+)/i],
  // Telegram, also its own server
  [/./, /\/(bot\d+:[^/]+)/i],
  // Mattermost, Rocket.Chat
  [/./, /\/hooks\/([a-z0-9]{17,}(?:\/[\w-]{17,})?)(?=\/|$)/i],
  // Forms of Slack and Discord, behind a relay
  [/./, /\/services\/(T\w+\/B\w+\/\w+)/],
  [/./, /\/webhooks\/(\d+\/[\w-]{20,})/i],
  // n8n, Grafana OnCall, health checks: a UUID that nobody else is to know
  [/./, /\/(?:web)?hooks?\/([0-9a-f]{8}-[0-9a-f-]{27})/i],
  [/./, /\/ping\/([0-9a-f]{8}-[0-9a-f-]{27})/i],
  // Whatever says what it is
  [/./, /\/(?:api[-_]?|access[-_]?)?(?:token|key|secret|password)s?\/(?=[^/]*\d)([^/]{16,})/i],
];

/** User names that are no credentials: the key is elsewhere. */
const SSH = /^(?:ssh|git\+ssh|sftp):/i;

/** The first part of an address that holds a credential; null: none does. */
export function secretPart(url: string): SecretPart | null {
  return withoutSecrets(url, 0).found;
}

/** A scheme has an end, so that no text is searched to its end from each of its letters. */
const IN_TEXT = /[a-z][a-z0-9+.-]{0,30}:[\\/]{2}[^\s"'`<>]+/gi;
/** What ends a sentence is no part of the address in it. */
const AFTER = /(?<![.,;:!?)\]}])[.,;:!?)\]}]*$/;

/** A text with the credentials of all addresses in it masked; what has none, or has passed once, passes unchanged. */
export function maskUrls(text: string): string {
  return maskedAt(0, text);
}

function maskedAt(depth: number, text: string): string {
  if (!holdsAddress(text)) return text;
  return text.replace(IN_TEXT, (found) => {
    const [after = ''] = AFTER.exec(found) ?? [];
    const url = found.slice(0, found.length - after.length);
    return withoutSecrets(url, depth).url + after;
  });
}

/** JSON of a document with the credentials of addresses in all of its texts masked. */
export function maskedJson(document: unknown, indent?: number): string {
  const json = JSON.stringify(document, null, indent);
  // Asked first: most documents have no address, and a replacer takes three times as long.
  return holdsAddress(json) ? JSON.stringify(document, (_, value) => maskedText(value), indent) : json;
}

/** A copy of the document, masked as `maskedJson` does. */
export function masked<T extends object>(document: T): T {
  return JSON.parse(maskedJson(document)) as T;
}

function maskedText(value: unknown): unknown {
  return typeof value === 'string' ? maskUrls(value) : value;
}

function holdsAddress(text: string): boolean {
  return text.includes('://') || text.includes(':\\');
}

const PARTS = /^([a-z][a-z0-9+.-]*:[\\/]*)([^\\/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/is;

/** @param depth of how many addresses and encodings it was taken out */
function withoutSecrets(text: string, depth: number): { url: string; found: SecretPart | null } {
  const [, scheme = '', authority = '', path = '', query = '', fragment = ''] = PARTS.exec(text) ?? [];
  if (scheme === '') return { url: text, found: null };
  const shown = [
    [maskUser(scheme, authority, depth), authority, 'a user name or password'],
    [maskPath(authority, path, depth), path, 'a token or key in its path'],
    [maskPairs(query, depth), query, 'a token or key in its query or fragment'],
    [maskPairs(fragment, depth), fragment, 'a token or key in its query or fragment'],
  ] as const;
  const found = shown.find(([after, before]) => after !== before)?.[2] ?? null;
  return { url: scheme + shown.map(([after]) => after).join(''), found };
}

function maskUser(scheme: string, authority: string, depth: number): string {
  const end = authority.replace(DIGEST, '').lastIndexOf('@');
  if (end <= 0) return isSecretValue(authority, depth) ? MASK : authority;
  const user = authority.slice(0, end);
  if (SSH.test(scheme) && !user.includes(':')) return authority;
  return MASK + authority.slice(end);
}

function maskPath(authority: string, path: string, depth: number): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d+$/, '');
  let shown = path;
  for (const [at, pattern] of SECRET_PATHS) if (at.test(host)) shown = shown.replace(pattern, maskLast);
  return shown
    .split('/')
    .map((segment) => (isSecretValue(decoded(segment), depth) ? MASK : maskPairs(segment, depth)))
    .join('/');
}

/** Masks in what was found the group that it ends with, or nearly so. */
function maskLast(found: string, secret: string): string {
  const at = found.lastIndexOf(secret);
  return found.slice(0, at) + MASK + found.slice(at + secret.length);
}

/** `name=value`, separated as in a query; a fragment and a segment of a path may have such pairs, too. */
function maskPairs(text: string, depth: number): string {
  return text
    .split(/([?&;#])/)
    .map((part) => {
      const [, name = '', equals = '', value = ''] = /^([^=]*)(=?)(.*)$/s.exec(part) ?? [];
      if (equals === '') return isSecretValue(decoded(part), depth) ? MASK : part;
      if (value === '' || value === MASK) return part;
      const meant = decoded(value);
      return isSecretName(decoded(name), meant) || isSecretValue(meant, depth) ? `${name}=${MASK}` : part;
    })
    .join('');
}

function isSecretName(name: string, value: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  // Azure Functions call their key a code; a short one is more likely a country.
  if (words.includes('code') && value.length >= 20) return true;
  return words.some((word) => WORDS.has(word)) || ENDINGS.test(words.join(''));
}

/**
 * @param value decoded; what is in it may be an address, or pairs, of its own
 * @param depth of how many such it was taken out: what is in too many counts as secret
 */
function isSecretValue(value: string, depth: number): boolean {
  if (KNOWN_VALUES.test(value) || HEADER_VALUE.test(value) || USER_AND_PASSWORD.test(value)) return true;
  const again = decoded(value);
  const isEncoded = again.length < value.length;
  const hasPairs = /.[&;]|[&;]./s.test(value);
  if (!holdsAddress(value) && !isEncoded && !hasPairs) return false;
  if (depth >= DEEPEST) return true;
  const inside = depth + 1;
  if (maskedAt(inside, value) !== value || (isEncoded && isSecretValue(again, inside))) return true;
  return hasPairs && maskPairs(value, inside) !== value;
}

/** As servers read it; what is not well-formed as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
