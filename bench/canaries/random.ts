/** Reproducible random numbers for simulations. */
export type Random = () => number;

/** Uniform numbers in [0, 1) with 53 bits: sfc32 (Doty-Humphrey, PractRand), seeded by hashing all `seeds`. */
export function uniform(...seeds: readonly number[]): Random {
  let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
  const next = (): number => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (const seed of seeds) {
    a = (a ^ seed) | 0;
    for (let i = 0; i < 16; i++) next();
  }
  return () => ((next() >>> 5) * 67_108_864 + (next() >>> 6)) / 2 ** 53;
}

/** Draws one count. */
export type Sampler = (random: Random) => number;

/** Probabilities below this cannot be told from 0 by a 53-bit uniform number. */
const NO_MASS = 1e-20;
const samplers = new Map<number, Sampler>();

/**
 * Exact Poisson counts of the given mean, by inversion of the tabulated distribution function; the table is built from
 * the mode outwards, so no term is lost to rounding.
 * @param mean at most about 1e6 (the table has some 20 standard deviations)
 */
export function poisson(mean: number): Sampler {
  const known = samplers.get(mean);
  if (known) return known;
  const sampler = mean > 0 ? inversion(poissonTable(mean)) : () => 0;
  samplers.set(mean, sampler);
  return sampler;
}

interface Table {
  /** Count of the first entry. */
  from: number;
  /** Distribution function. */
  below: Float64Array;
}

function poissonTable(mean: number): Table {
  const mode = Math.floor(mean);
  const up = [1];
  for (let k = mode + 1, p = mean / k; p > NO_MASS; p *= mean / ++k) up.push(p);
  const down: number[] = [];
  for (let k = mode, p = k / mean; k > 0 && p > NO_MASS; p *= --k / mean) down.push(p);
  const weights = [...down.reverse(), ...up];
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const below = new Float64Array(weights.length);
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]! / total;
    below[i] = sum;
  }
  return { from: mode - down.length, below };
}

/** The guide table says where to begin, so that a draw takes a step or two whatever the table's length. */
function inversion({ from, below }: Table): Sampler {
  const last = below.length - 1;
  const guide = new Int32Array(below.length);
  for (let g = 0, i = 0; g < guide.length; g++) {
    while (i < last && below[i]! <= g / guide.length) i++;
    guide[g] = i;
  }
  return (random) => {
    const u = random();
    let i = guide[Math.floor(u * guide.length)]!;
    while (i < last && below[i]! <= u) i++;
    return from + i;
  };
}
