import type { Subject } from '../lib/view/index.js';
import { post } from './ask.js';
import { h, lines, replace } from './dom.js';
import { failure } from './failure.js';

interface Answer {
  error?: { message: string };
  result?: { isError?: boolean; content: { text: string }[] };
}

/** What the search has of a job, gate, promotion, policy, entry of the log, or page of the documentation: the same as its tool `fetch`. */
export function documentPage(subject: Named): HTMLElement {
  const element = h('div', {}, h('p', { role: 'status' }, 'Loading…'));
  const call = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'fetch', arguments: { id: idOf(subject) } },
  };
  post<Answer>('/mcp', call).then(
    (answer) => show(element, answer),
    (error: unknown) => replace(element, ...failure(error)),
  );
  return element;
}

function show(element: HTMLElement, answer: Answer | null): void {
  const text = answer?.result?.content[0]?.text ?? answer?.error?.message ?? 'The daemon said nothing.';
  const crumbs = h('p', { class: 'crumbs' }, h('a', { href: '#/' }, 'Canaries'));
  if (answer?.result === undefined || answer.result.isError === true) {
    replace(element, crumbs, h('h1', {}, 'Not found'), h('p', { class: 'bad', role: 'alert' }, text));
    return;
  }
  const { title, text: body } = JSON.parse(text) as { title: string; text: string };
  replace(element, crumbs, h('h1', {}, title), lines(body, { class: 'document', role: 'region', 'aria-label': title }));
}

type Named = Extract<Subject, { name: string }>;

function idOf(subject: Named): string {
  return `${subject.kind === 'docs' ? 'doc' : subject.kind}:${subject.name}`;
}
