import { type ErrorCode, LukhasError } from '../errors.js';

/**
 * Reads YAML 1.2, of which JSON is a part; so a key given twice is an error in either. An empty text is `null`.
 * @throws LukhasError with `code`: the file, line and column of the first mistake.
 */
export async function parseText(text: string, where: string, code: ErrorCode): Promise<unknown> {
  const { isScalar, LineCounter, parseDocument, visit } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const mistake = document.errors[0] ?? document.warnings[0];
  if (mistake !== undefined) {
    const { line, col } = lines.linePos(mistake.pos[0]);
    throw new LukhasError(code, `${where}:${line}:${col}: ${inWords(mistake)}`);
  }
  // As a member of an object it would be lost without a word.
  visit(document, {
    Pair(_, { key }) {
      if (!isScalar(key) || key.value !== '__proto__') return;
      const { line, col } = lines.linePos(key.range?.[0] ?? 0);
      throw new LukhasError(code, `${where}:${line}:${col}: __proto__ cannot be a key; choose another name`);
    },
  });
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new LukhasError(code, `${where}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function inWords({ code, message }: { code: string; message: string }): string {
  if (code === 'MULTIPLE_DOCS') return 'contains more than one YAML document; keep one';
  // Selectors of PromQL have braces, and inside of braces YAML takes them for its own.
  return /^Unexpected flow-\S+-start at node end/.test(message)
    ? `${message}: put a text with braces or brackets in quotes, as in 'requests_total{code="200"}'`
    : message;
}

/** A value as YAML, to be shown to a person who may put it into a file. */
export async function yamlText(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(value, { lineWidth: 0 });
}
