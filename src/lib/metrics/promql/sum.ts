import type { SyntaxNode } from '@lezer/common';
import { regexProblem } from './match.js';
import { positionOf, syntaxProblem } from './promql.js';
import { type Matcher, parseMatchers, parseSelector, type Selector, showSelector } from './selector.js';
import { childrenOf, parseSyntax } from './tree.js';

export interface Term {
  sign: 1 | -1;
  selector: Selector;
}

/** `problem`: what is wrong, where, and what to write; one line, or three with the place marked. */
export type Read<T> = { ok: true; value: T } | { ok: false; problem: string };

class Refused extends Error {}

/**
 * Sums and differences of selectors: `a + b`, `total - (good + ignored)`. Placeholders stay in.
 * Nothing else: what lukhas counts are the counters themselves, and it takes their increases.
 */
export function readSum(text: string): Read<Term[]> {
  return reading(text, () => {
    const terms = termsOf(onlyNode(text), 1, text);
    if (terms[0]?.sign === -1) throw new Refused('begins with a minus: begin with what is counted');
    return terms;
  });
}

/** One selector with a name: `name{label="value"}` or `{"name", label="value"}`. */
export function readSelector(text: string): Read<Selector> {
  return reading(text, () => selectorOf(onlyNode(text), text));
}

/** Matchers alone: `{pod=~"canary-.*"}`. */
export function readMatchers(text: string): Read<Matcher[]> {
  return reading(text, () => {
    const node = onlyNode(text);
    if (node.name === 'VectorSelector' && parseSelector(text) !== null)
      throw new Refused('names a metric: give the labels alone, as in {version="v2"}');
    const matchers = node.name === 'VectorSelector' ? parseMatchers(text) : null;
    if (matchers === null) throw new Refused('must be label matchers in braces, as in {version="v2"}');
    return checked(matchers);
  });
}

/** A sum as text, as Prometheus reads it. */
export function showSum(terms: readonly Term[]): string {
  return terms
    .map(({ sign, selector }, i) => `${i === 0 ? '' : sign === 1 ? ' + ' : ' - '}${showSelector(selector)}`)
    .join('');
}

function reading<T>(text: string, read: () => T): Read<T> {
  if (text.trim() === '') return { ok: false, problem: 'must not be empty' };
  const problem = syntaxProblem(text);
  if (problem !== null) return { ok: false, problem };
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, problem: error.message };
    throw error;
  }
}

function onlyNode(text: string): SyntaxNode {
  const [node] = childrenOf(parseSyntax(text));
  if (node === undefined) throw new Refused('must not be empty');
  return node;
}

function termsOf(node: SyntaxNode, sign: 1 | -1, text: string): Term[] {
  const children = childrenOf(node);
  if (node.name === 'ParenExpr' && children[0]) return termsOf(children[0], sign, text);
  if (node.name !== 'BinaryExpr') return [{ sign, selector: selectorOf(node, text) }];
  const [left, operator, right] = children;
  const plus = operator?.name === 'Add';
  if (children.length !== 3 || !left || !right || !(plus || operator?.name === 'Sub')) {
    const shown = text.slice(operator?.from ?? node.from, operator?.to ?? node.to);
    const where = positionOf(text, operator?.from ?? node.from);
    const what = children.length > 3 ? `${shown} with on or ignoring` : shown;
    throw new Refused(`${what} at ${where} cannot be counted: use + and - between counters only`);
  }
  const other = sign === 1 ? -1 : 1;
  return [...termsOf(left, sign, text), ...termsOf(right, plus ? sign : other, text)];
}

function selectorOf(node: SyntaxNode, text: string): Selector {
  const [child] = childrenOf(node);
  if (node.name === 'ParenExpr' && child) return selectorOf(child, text);
  const own = text.slice(node.from, node.to);
  if (node.name !== 'VectorSelector') throw new Refused(`${nameOf(node, own)} at ${positionOf(text, node.from)}`);
  const selector = parseSelector(own);
  if (selector === null) {
    const why = `${own} at ${positionOf(text, node.from)} does not name one metric`;
    throw new Refused(
      `${why}: write its name before the braces, as in requests_total${own.includes('~') ? '{...}' : own}`,
    );
  }
  checked(selector.matchers);
  return selector;
}

function checked(matchers: Matcher[]): Matcher[] {
  for (const matcher of matchers) {
    const problem = regexProblem(matcher);
    if (problem !== null) throw new Refused(problem);
  }
  return matchers;
}

function nameOf(node: SyntaxNode, own: string): string {
  const shown = own.length > 40 ? `${own.slice(0, 37)}...` : own;
  switch (node.name) {
    case 'FunctionCall':
    case 'AggregateExpr': {
      const name = own.slice(0, own.search(/[\s({]/));
      return `${name}(...) is a function: write the counter itself, as in requests_total{code=~"5.."}; lukhas takes its increase`;
    }
    case 'MatrixSelector':
      return `${shown} is a range: leave [...] out, lukhas takes the increase between two checks`;
    case 'SubqueryExpr':
      return `${shown} is a subquery: write the counter itself`;
    case 'OffsetExpr':
    case 'StepInvariantExpr':
      return `${shown} names a time: leave offset and @ out`;
    case 'UnaryExpr':
      return `${shown} has a sign of its own: begin with what is counted, and subtract what is not`;
    case 'NumberDurationLiteral':
      return `${shown} is a number: use + and - between counters only`;
    default:
      return `${shown} is not a selector such as requests_total{code=~"5.."}`;
  }
}
