/** Which names and values are likely to be the same thing in another spelling; pure. */

/** Ends of a metric's name that stand for its kind or unit. */
const ENDS = /(?:_(?:total|count|sum|bucket|seconds|milliseconds|microseconds|ms|s))+$/;

/** Whether one name of a metric may be meant for the other: `http_requests` and `http_requests_total`, a letter left out. */
export function isAlikeName(wanted: string, there: string): boolean {
  if (wanted === there) return true;
  const [a, b] = [plain(wanted.replace(ENDS, '')), plain(there.replace(ENDS, ''))];
  if (a === b) return a !== '';
  if (stems(wanted) === stems(there)) return true;
  return Math.min(a.length, b.length) >= 8 && isWithin(a, b, 2);
}

/** The words of a name without their endings: `predict_errs_total` and `predict_error` are the same. */
function stems(name: string): string {
  const words = name
    .toLowerCase()
    .replace(ENDS, '')
    .split(/[^a-z0-9]+/);
  return words.map((word) => STEMS.find(([, forms]) => forms.test(word))?.[0] ?? word.replace(/s$/, '')).join(' ');
}

const STEMS: readonly (readonly [string, RegExp])[] = [
  ['error', /^err(or)?s?$/],
  ['fail', /^fail(s|ed|ure|ures)?$/],
  ['request', /^req(uest)?s?$/],
  ['success', /^success(es|ful)?$/],
];

/**
 * Whether one value of a label may be meant for the other: `V2` and `v2`, `/predict/` and `predict`, `/api/order/:id` and
 * `/api/orders/:id`; not `v1` and `v2`.
 */
export function isAlikeValue(wanted: string, there: string): boolean {
  const [a, b] = [plain(wanted), plain(there)];
  if (a !== '' && (a === b || `v${a}` === b || a === `v${b}`)) return true;
  // Numbers tell versions and pods apart.
  const digits = (text: string) => text.replace(/\D/g, '');
  return Math.min(a.length, b.length) >= 8 && digits(a) === digits(b) && isWithin(a, b, 1);
}

function plain(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** Whether at most `most` letters have to be added, left out or replaced (Levenshtein). */
function isWithin(a: string, b: string, most: number): boolean {
  if (Math.abs(a.length - b.length) > most) return false;
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++)
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    above = row;
  }
  return above[b.length]! <= most;
}

/** Metrics of the runtime or the page itself: they say nothing of requests. */
const RUNTIME =
  /^(?:go|process|python|nodejs|jvm|dotnet|ruby|promhttp|prometheus|scrape|node|container|up$|target_info$)_?/;

export function isOfRuntime(name: string): boolean {
  return RUNTIME.test(name);
}
