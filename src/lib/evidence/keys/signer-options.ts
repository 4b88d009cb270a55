import { refused } from '../formats/index.js';

/** A time as it was written, and in seconds since the epoch. */
interface Moment {
  text: string;
  seconds: number;
}

/** Options of a line of an allowed_signers file. */
export interface SignerOptions {
  certAuthority: boolean;
  /** Patterns, separated by commas; null: any namespace. */
  namespaces: string | null;
  validAfter: Moment | null;
  validBefore: Moment | null;
}

/**
 * Options as ssh-keygen reads them (sshsigopt_parse of OpenSSH 9.2): names in any case, values in double quotes, in which `\"` is
 * a quote, separated by commas.
 * @param text may be empty
 * @throws LukhasError VERIFICATION: an option that is unknown, malformed, or there twice
 */
export function parseSignerOptions(text: string): SignerOptions {
  const options: SignerOptions = { certAuthority: false, namespaces: null, validAfter: null, validBefore: null };
  for (let rest = text; rest !== ''; ) {
    const after = takeOption(rest, options);
    if (after === '') break;
    // An empty option is none.
    if (!after.startsWith(',')) throw unknown(after === rest ? rest : after);
    rest = after.slice(1);
    if (rest === '') throw refused('allowed_signers: the options end with a comma');
  }
  const { validAfter, validBefore } = options;
  if (validAfter !== null && validBefore !== null && validBefore.seconds <= validAfter.seconds)
    throw refused('allowed_signers: valid-before is not after valid-after');
  return options;
}

/** Reads the option at the beginning, if it is known. @returns what follows it */
function takeOption(text: string, options: SignerOptions): string {
  if (/^cert-authority/i.test(text)) {
    options.certAuthority = true;
    return text.slice('cert-authority'.length);
  }
  const name = /^(namespaces|valid-after|valid-before)=/i.exec(text)?.[1];
  if (name === undefined) return text;
  const { value, rest } = dequote(name, text.slice(name.length + 1));
  switch (name.toLowerCase()) {
    case 'namespaces':
      refuseSecond(name, options.namespaces);
      options.namespaces = value;
      break;
    case 'valid-after':
      refuseSecond(name, options.validAfter);
      options.validAfter = momentOf(name, value);
      break;
    default:
      refuseSecond(name, options.validBefore);
      options.validBefore = momentOf(name, value);
  }
  return rest;
}

function dequote(name: string, text: string): { value: string; rest: string } {
  const [whole, value = ''] = /^"((?:\\"|\\(?!")|[^"\\])*)"/.exec(text) ?? [];
  if (whole === undefined) throw refused(`allowed_signers: the value of ${name} is not in double quotes`);
  return { value: value.replaceAll('\\"', '"'), rest: text.slice(whole.length) };
}

function refuseSecond(name: string, before: unknown): void {
  if (before !== null) throw refused(`allowed_signers: has the option ${name} twice`);
}

function unknown(text: string): Error {
  const [name = ''] = /^[^,="\s]*/.exec(text) ?? [];
  return refused(`allowed_signers: unknown option ${JSON.stringify(name.slice(0, 40))}`);
}

const TIME = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(|Z|UTC)$/i;

function momentOf(name: string, text: string): Moment {
  const found = TIME.exec(text);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (found ?? [])
    .slice(1, 7)
    .map((n) => Number(n ?? 0));
  const isTime = month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 61;
  const utc = Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
  const seconds = found?.[7] === '' ? utc + standardOffset(year) : utc;
  if (found === null || !isTime || year < 1970 || seconds <= 0)
    throw refused(`allowed_signers: ${name}: not a time of the form YYYYMMDD[HHMM[SS]][Z]`);
  return { text, seconds };
}

/** Seconds from local standard time to UTC. ssh-keygen reads local times as standard time, also in summer. */
function standardOffset(year: number): number {
  const offsets = [0, 6].map((month) => new Date(year, month, 1).getTimezoneOffset());
  return Math.max(...offsets) * 60;
}
