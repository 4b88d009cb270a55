/**
 * Finds members of recorded events in their bytes: canonical JSON (RFC 8785) has no whitespace, and each member once.
 * JSON.parse would take half as long again, and grow the heap.
 */

/** The members to find: of an event, of its data, and of some members of the data. */
const PATHS = [
  'seq',
  'ts',
  'kind',
  'subject',
  'data',
  'data.modelId',
  'data.fromGate',
  'data.toGate',
  'data.gate',
  'data.by.who',
  'data.requestedBy.who',
  'data.verdict.decision',
  'data.action',
  'data.verdict.reason',
  'data.reason',
] as const;
type Path = (typeof PATHS)[number];

/** Offsets of an event's values, indexed by `AT`; NONE where a member is missing or null. */
export type Places = Int32Array;
export const NONE = -1;
export const AT = Object.fromEntries(PATHS.map((path, i) => [path, i])) as Record<Path, number>;

interface Member {
  name: Buffer;
  /** In Places, or NONE. */
  place: number;
  within: Members | null;
}
/** Indexed by length and first byte of the name: few names share both. */
type Members = (Member[] | undefined)[];

const [QUOTE, BACKSLASH, COMMA, COLON, N] = [0x22, 0x5c, 0x2c, 0x3a, 0x6e];
const [BRACE, BRACE_END, BRACKET, BRACKET_END] = [0x7b, 0x7d, 0x5b, 0x5d];
/** Depth of the deepest members to find. */
const DEEPEST = 3;
const FIRST_BYTES = 256;

const EVENT = membersOf(PATHS);

function membersOf(paths: readonly string[], before = ''): Members {
  const members: Members = [];
  const names = new Set(paths.map((path) => path.slice(before.length).split('.')[0] as string));
  for (const text of names) {
    const name = Buffer.from(text);
    const inner = paths.filter((path) => path.startsWith(`${before}${text}.`));
    const within = inner.length === 0 ? null : membersOf(inner, `${before}${text}.`);
    const place = AT[`${before}${text}` as Path] ?? NONE;
    const at = slot(name.length, name[0] as number);
    members[at] = [...(members[at] ?? []), { name, place, within }];
  }
  return members;
}

function slot(length: number, first: number): number {
  return length * FIRST_BYTES + first;
}

/** Members to look for at each depth, while an event is scanned. */
const OPEN: (Members | null)[] = [null, EVENT, null, null, null];

/** Fills `places` with the offsets of the values of the event in [start, end). */
export function scanEvent(bytes: Buffer, start: number, end: number, places: Places): void {
  places.fill(NONE);
  let depth = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      const close = endOfString(bytes, i, end);
      if (depth <= DEEPEST && bytes[close + 1] === COLON) note(bytes, i + 1, close, depth, places);
      i = close;
    } else if (byte === BRACE || byte === BRACKET) depth++;
    else if (byte === BRACE_END || byte === BRACKET_END) depth--;
  }
}

/** For the name in [start, close): records the offset of its value, and which members to find within it. */
function note(bytes: Buffer, start: number, close: number, depth: number, places: Places): void {
  const members = OPEN[depth];
  const member = members ? find(members, bytes, start, close) : undefined;
  OPEN[depth + 1] = member === undefined ? null : member.within;
  if (member !== undefined && member.place !== NONE && bytes[close + 2] !== N) places[member.place] = close + 2;
}

/** @param start its opening quote @returns the index of its closing quote, or `end` */
export function endOfString(bytes: Buffer, start: number, end: number): number {
  for (let i = start + 1; i < end; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) return i;
    if (byte === BACKSLASH) i++;
  }
  return end;
}

/** @returns the index after the value that begins at `start`: of the comma or bracket after it, or `end` */
export function endOfValue(bytes: Buffer, start: number, end: number): number {
  let depth = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) i = endOfString(bytes, i, end);
    else if (byte === BRACE || byte === BRACKET) depth++;
    else if (byte === BRACE_END || byte === BRACKET_END) {
      if (depth === 0) return i;
      depth--;
    } else if (depth === 0 && byte === COMMA) return i;
  }
  return end;
}

function find(members: Members, bytes: Buffer, start: number, end: number): Member | undefined {
  const candidates = members[slot(end - start, bytes[start] as number)];
  if (candidates === undefined) return undefined;
  for (let c = 0; c < candidates.length; c++) {
    const candidate = candidates[c] as Member;
    if (isAt(candidate.name, bytes, start)) return candidate;
  }
  return undefined;
}

/** For so few bytes, a call into native code would be slower. */
function isAt(name: Buffer, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false;
  return true;
}
