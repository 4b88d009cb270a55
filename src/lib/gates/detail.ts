import { stripVTControlCharacters } from 'node:util';
import { clip } from '../input/index.js';

/** Bytes of a hook's output, or of a response's body, that are kept. */
export const DETAIL_BYTES = 4096;

/** `label: text` in one line, without colours; what else cannot be seen is an escape. */
export function detailLine(label: string, output: Buffer): string {
  const text = clip(stripVTControlCharacters(output.toString('utf8')), DETAIL_BYTES);
  return text === '' ? label : `${label}: ${text}`;
}
