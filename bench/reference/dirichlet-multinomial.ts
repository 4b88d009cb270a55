import { lgamma } from '../../src/lib/judge/special.js';

/**
 * Log e-value of bin counts against fixed bin shares `theta0`, with a Dirichlet prior on the alternative
 * (Lindon & Malek, "Anytime-valid inference for multinomial count data", 2022): a sequential test of "no drift at all".
 */
export function dirichletMultinomialLogE(
  counts: readonly number[],
  theta0: readonly number[],
  concentration: readonly number[],
): number {
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const bins = counts.map((count, i) => {
    const prior = concentration[i]!;
    return lgamma(prior + count) - lgamma(prior) - (count === 0 ? 0 : count * Math.log(theta0[i]!));
  });
  return lgamma(sum(concentration)) - lgamma(sum(concentration) + sum(counts)) + sum(bins);
}
