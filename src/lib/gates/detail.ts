import { stripVTControlCharacters } from 'node:util';

/** Bytes of a hook's output, or of a response's body, that are kept. */
export const DETAIL_BYTES = 4096;

/** `label: text` in one line; terminal sequences, control and invisible formatting characters become spaces. */
export function detailLine(label: string, output: Buffer): string {
  const text = stripVTControlCharacters(output.toString('utf8'))
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return text === '' ? label : `${label}: ${text}`;
}
