import type { Narrative } from './section.js';

/** Plain text, one sentence a line: for a pipe, a file, a person. Ends without a line break. */
export function narrativeText({ title, sections }: Narrative): string {
  const parts = sections.map(({ heading, sentences }) => [heading, ...sentences.map((s) => `  ${s}`)].join('\n'));
  return [stopped(title), ...parts].join('\n\n');
}

/** Markdown (CommonMark); text from the log is escaped, so that it is never read as Markdown or HTML. */
export function narrativeMarkdown({ title, sections }: Narrative): string {
  const parts = sections.map(({ heading, kind, sentences }) => {
    const lines = sentences.map(escaped);
    const body = kind === 'list' ? lines.map((line) => `- ${line}`).join('\n') : lines.join('\n');
    return `## ${heading}\n\n${body}`;
  });
  return [`# ${escaped(stopped(title))}`, ...parts].join('\n\n');
}

function stopped(title: string): string {
  return title.endsWith('.') ? title : `${title}.`;
}

/** Backslashes before what would be read as markup; an underscore between letters is not, and stays readable. */
function escaped(sentence: string): string {
  return sentence
    .replace(/[\\`*[\]<>&|~$!]/g, '\\$&')
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
    .replace(/^([#+=-])/, '\\$1')
    .replace(/^(\d+)([.)])/, '$1\\$2');
}
