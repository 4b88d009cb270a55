import { visible } from './visible.js';

/** A YAML file for people to read and change. */
export interface Annotated {
  /** Lines above everything. */
  head: readonly string[];
  value: Record<string, unknown>;
  /** Lines above a key, by its place, as in `['signals', 'errors']`. */
  notes: readonly { at: readonly string[]; lines: readonly string[] }[];
}

/**
 * YAML with comments. Whatever the texts hold, each line of a comment is one line of the file, strings are quoted where
 * they have to be, and nothing that cannot be seen stands in it as it is.
 */
export async function annotatedYaml({ head, value, notes }: Annotated): Promise<string> {
  const { Document, isMap, isScalar, visit } = await import('yaml');
  const document = new Document(value, { aliasDuplicateObjects: false });
  document.commentBefore = comment(head);
  for (const { at, lines } of notes) {
    if (lines.length === 0) continue;
    const parent = document.getIn(at.slice(0, -1), true);
    const holder = at.length === 1 ? document.contents : parent;
    const pair = isMap(holder) ? holder.items.find(({ key }) => isScalar(key) && key.value === at.at(-1)) : undefined;
    if (pair !== undefined && isScalar(pair.key)) pair.key.commentBefore = comment(lines);
  }
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value === 'string' && UNSEEN.test(scalar.value)) scalar.type = 'QUOTE_DOUBLE';
    },
    // A short map is easier to read on one line.
    Map(_, map, path) {
      if (path.length > 4 && map.items.every(({ value: item }) => isScalar(item) && String(item.value).length < 40))
        map.flow = true;
    },
  });
  // Comments hold none: what is left stands between double quotes, where YAML reads escapes.
  return document
    .toString({ lineWidth: 0, flowCollectionPadding: true })
    .replace(EACH_UNSEEN, (sign) => `\\U${sign.codePointAt(0)!.toString(16).padStart(8, '0')}`);
}

/** What an eye does not see, except for the ends of lines. */
const HIDDEN = '(?!\\n)[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]';
const UNSEEN = new RegExp(HIDDEN, 'u');
const EACH_UNSEEN = new RegExp(HIDDEN, 'gu');

function comment(lines: readonly string[]): string {
  return lines.map((line) => ` ${visible(line)}`).join('\n');
}
