import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { pieces } from './text.js';

/** What the product looks at in an expression; parentheses are gone, everything else is `other`. */
export type PromqlNode =
  | { type: 'number'; value: number }
  | { type: 'call'; name: string; args: PromqlNode[] }
  | { type: 'aggregate'; name: string; grouping: 'by' | 'without' | null; labels: string[]; args: PromqlNode[] }
  /** `plain`: without bool, on, ignoring, group_left ... */
  | { type: 'binary'; operator: string; plain: boolean; left: PromqlNode; right: PromqlNode }
  /** `selector[window]`, both as the user wrote them. */
  | { type: 'range'; selector: string; window: string }
  | { type: 'other'; inner: PromqlNode[] };

export const PLACEHOLDER = /\$__\w+/g;

/** A duration as long as the placeholder, so that positions in the parsed text are positions in the user's text. */
const standIn = (placeholder: string): string => `${'1'.padStart(placeholder.length - 1, '0')}s`;

/** Concrete syntax of an expression whose placeholders are still in; offsets are those of `expr`. */
export function parseSyntax(expr: string): SyntaxNode {
  const text = pieces(expr).map((p) => (p.kind === 'code' ? p.text.replace(PLACEHOLDER, standIn) : p.text));
  return parser.parse(text.join('')).topNode;
}

/** Offset of the first syntax error, null when there is none. */
export function firstSyntaxError(expr: string): number | null {
  let at: number | null = null;
  parseSyntax(expr)
    .cursor()
    .iterate((node) => {
      if (node.type.isError) at = Math.min(at ?? node.from, node.from);
    });
  return at;
}

/** The expression as the product looks at it; null when it does not parse. */
export function parsePromql(expr: string): PromqlNode | null {
  if (firstSyntaxError(expr) !== null) return null;
  const [only, ...more] = childrenOf(parseSyntax(expr));
  return only && more.length === 0 ? simplify(only, expr) : null;
}

export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (child.name !== 'LineComment') children.push(child);
  }
  return children;
}

const textOf = (node: SyntaxNode | null, expr: string): string => (node ? expr.slice(node.from, node.to) : '');

function simplify(node: SyntaxNode, expr: string): PromqlNode {
  const inner = (): PromqlNode[] => childrenOf(node).map((child) => simplify(child, expr));
  switch (node.name) {
    case 'ParenExpr':
      return inner()[0] ?? { type: 'other', inner: [] };
    case 'NumberDurationLiteral':
      return { type: 'number', value: Number(textOf(node, expr)) };
    case 'FunctionCall':
      return { type: 'call', name: textOf(node.getChild('FunctionIdentifier'), expr), args: argumentsOf(node, expr) };
    case 'AggregateExpr':
      return simplifyAggregate(node, expr);
    case 'BinaryExpr':
      return simplifyBinary(node, expr);
    case 'MatrixSelector': {
      const window = textOf(node.getChild('DurationExpr'), expr);
      return { type: 'range', selector: textOf(node.getChild('VectorSelector'), expr), window };
    }
    default:
      return { type: 'other', inner: inner() };
  }
}

function argumentsOf(node: SyntaxNode, expr: string): PromqlNode[] {
  const body = node.getChild('FunctionCallBody');
  return body ? childrenOf(body).map((child) => simplify(child, expr)) : [];
}

function simplifyAggregate(node: SyntaxNode, expr: string): PromqlNode {
  const modifier = node.getChild('AggregateModifier');
  const grouping = modifier === null ? null : modifier.getChild('By') ? 'by' : 'without';
  const labels = modifier?.getChild('GroupingLabels');
  return {
    type: 'aggregate',
    name: textOf(node.getChild('AggregateOp'), expr).toLowerCase(),
    grouping,
    labels: labels ? childrenOf(labels).map((label) => textOf(label, expr)) : [],
    args: argumentsOf(node, expr),
  };
}

function simplifyBinary(node: SyntaxNode, expr: string): PromqlNode {
  const children = childrenOf(node);
  const [left, operator] = children;
  const right = children.at(-1);
  if (!left || !operator || !right) return { type: 'other', inner: [] };
  return {
    type: 'binary',
    operator: textOf(operator, expr).toLowerCase(),
    plain: children.length === 3,
    left: simplify(left, expr),
    right: simplify(right, expr),
  };
}
