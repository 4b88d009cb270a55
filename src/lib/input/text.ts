import { type ErrorCode, LukhasError } from '../errors.js';

/**
 * Reads YAML 1.2, of which JSON is a part; so a key given twice is an error in either. An empty text is `null`.
 * @throws LukhasError with `code`: the file, line and column of the first mistake.
 */
export async function parseText(text: string, where: string, code: ErrorCode): Promise<unknown> {
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const mistake = document.errors[0] ?? document.warnings[0];
  if (mistake !== undefined) {
    const { line, col } = lines.linePos(mistake.pos[0]);
    const message = mistake.code === 'MULTIPLE_DOCS' ? 'holds more than one document; keep one' : mistake.message;
    throw new LukhasError(code, `${where}:${line}:${col}: ${message}`);
  }
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new LukhasError(code, `${where}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
