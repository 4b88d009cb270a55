import { LukhasError } from '../../errors.js';
import type { Missing } from '../../judge/index.js';
import { type BytesAnswer, decodeUtf8, notText } from '../http.js';
import { NO_EOF, readExposition } from './exposition.js';
import type { Exposition } from './facts.js';
import { readProtobuf } from './protobuf.js';
import { WireError } from './wire.js';

export type Page = ({ ok: true } & Exposition) | { ok: false; missing: Missing };

const PROTOBUF = /^application\/vnd\.google\.protobuf\b/i;
const OPEN_METRICS = /^application\/openmetrics-text\b/i;
const HTML = /^text\/html\b/i;

/**
 * What an answer says as a page of metrics: the samples that are wanted, or why it is no reading. An answer that was cut off is
 * `unreachable`, whatever it says up to there: its last number may be half a number.
 * @param where names the page in messages
 */
export async function readPage(where: string, answer: BytesAnswer, wanted: (name: string) => boolean): Promise<Page> {
  const page = PROTOBUF.test(answer.contentType)
    ? await protobufPage(where, answer, wanted)
    : await textPage(where, answer, wanted);
  if (page.ok) checkTimestamps(page, OPEN_METRICS.test(answer.contentType));
  return page;
}

async function protobufPage(where: string, answer: BytesAnswer, wanted: (name: string) => boolean): Promise<Page> {
  try {
    return { ok: true, ...(await readProtobuf(answer.bytes, wanted)) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return answer.delimited ? missing('invalid', notText(where, answer).detail) : missing('unreachable', cutOff(where));
  }
}

async function textPage(where: string, answer: BytesAnswer, wanted: (name: string) => boolean): Promise<Page> {
  const text = decodeUtf8(answer.bytes);
  if (text === null && !answer.delimited && endsWithinCharacter(answer.bytes))
    return missing('unreachable', cutOff(where));
  if (text === null) return missing('invalid', notText(where, answer).detail);
  const openMetrics = OPEN_METRICS.test(answer.contentType);
  const isComplete =
    answer.delimited || text === '' || text.endsWith('\n') || (openMetrics && text.endsWith('\n# EOF'));
  try {
    const read = await readExposition(text, { openMetrics, wanted });
    return isComplete ? { ok: true, ...read } : missing('unreachable', cutOff(where));
  } catch (error) {
    if (!(error instanceof LukhasError) || error.code !== 'SOURCE_INVALID') throw error;
    if (HTML.test(answer.contentType)) return missing('invalid', `${where} answers with HTML, not with metrics`);
    if (isJson(text)) return missing('invalid', `${where}: this is JSON, not a metrics page`);
    const isCut = isComplete ? error.message.endsWith(NO_EOF) : isOfLastLine(error.message, text);
    if (isCut && !answer.delimited) return missing('unreachable', cutOff(where));
    return missing('invalid', `${where}, ${error.message}`);
  }
}

/** Where the rest of a line is missing, what is there still begins as one does. */
function isOfLastLine(message: string, text: string): boolean {
  const lines = text.split('\n').length;
  return message.startsWith(`line ${lines}: `) && !message.includes('not an exposition');
}

function endsWithinCharacter(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false; // the only failure of a fatal decoder: not UTF-8
  }
}

function cutOff(where: string): string {
  return `${where}: the answer was cut off: its connection closed before the end of the page, and it gave no length`;
}

function missing(state: Missing['state'], detail: string): Page {
  return { ok: false, missing: { state, detail } };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // the only failure: not JSON
  }
}

/** Units of timestamps by their least value: as seconds, 1e8 to 1e11 are the years 1973 to 5138, and so on. */
const UNITS = [
  { from: 1e8, unit: 'seconds' },
  { from: 1e11, unit: 'milliseconds' },
  { from: 1e14, unit: 'microseconds' },
  { from: 1e17, unit: 'nanoseconds' },
] as const;

/**
 * Finds timestamps in another unit than the format's. Those in a smaller unit would lie in the far future, where nothing is
 * ever old: they are set to the epoch.
 */
function checkTimestamps({ samples, facts }: Exposition, openMetrics: boolean): void {
  const [format, right] = openMetrics ? ['OpenMetrics', 'seconds'] : ['the text format', 'milliseconds'];
  for (const sample of samples) {
    const { name, t } = sample;
    if (t === undefined) continue;
    const written = Math.abs(openMetrics ? t / 1000 : t);
    const unit = UNITS.findLast(({ from }) => written >= from)?.unit ?? right;
    if (unit === right) continue;
    facts.timestamps.set(name, `timestamps of ${name} are in ${unit}, ${format} has ${right}`);
    if (t > 0 && unit !== 'seconds') sample.t = 0;
  }
}
