/** gRPC's status codes by number (https://grpc.io/docs/guides/status-codes/); services write either, and names in several spellings. */
const NAMES = [
  ['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
  ['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
].flat();
/** The server's fault, as OpenTelemetry has them for servers. */
const FAULTS = ['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'];

export const GRPC_NUMBERS: readonly string[] = NAMES.map((_, i) => String(i));

type Spelling = (name: string) => string;
const pascal: Spelling = (name) =>
  name === 'OK' ? name : name.toLowerCase().replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
const SPELLINGS: readonly Spelling[] = [
  (name) => name,
  (name) => name.toLowerCase(),
  pascal,
  // Go has one of them otherwise.
  (name) => (name === 'CANCELLED' ? 'Canceled' : pascal(name)),
];

/** All names, in every spelling. */
export const GRPC_NAMES: readonly string[] = [...new Set(SPELLINGS.flatMap((spell) => NAMES.map(spell)))];

/** What to select for the server's faults where a label has these values; null: they are not gRPC's, or not only. */
export function grpcFaults(values: readonly string[]): { are: 'numbers' | 'names'; select: string } | null {
  if (values.length === 0) return null;
  const numbers = FAULTS.map((name) => String(NAMES.indexOf(name))).join('|');
  if (values.every((value) => GRPC_NUMBERS.includes(value))) return { are: 'numbers', select: numbers };
  // How others are spelt it does not tell.
  if (values.every((value) => value === 'OK'))
    return { are: 'names', select: `(?i)${FAULTS.join('|').toLowerCase().replaceAll('_', '_?')}` };
  const spelling = SPELLINGS.find((spell) => values.every((value) => NAMES.map(spell).includes(value)));
  return spelling === undefined ? null : { are: 'names', select: FAULTS.map(spelling).join('|') };
}
