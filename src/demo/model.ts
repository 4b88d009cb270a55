import { drawExample, type Example, FEATURES } from './population.js';
import { type Random, seededRandom } from './random.js';

interface TrainingOptions {
  seed: number;
  /** Labelled payments to learn from. */
  samples: number;
  /** Passes of gradient descent over a member's rows. */
  epochs: number;
  /** Logistic regressions in the ensemble, each on its own bootstrap sample. */
  members: number;
  learningRate?: number;
}

/** Bagged logistic regression (Breiman, "Bagging predictors", 1996) on standardised log1p features. */
export interface Model {
  means: readonly number[];
  scales: readonly number[];
  members: readonly Member[];
}

interface Member {
  bias: number;
  weights: readonly number[];
}

/** The two releases: the candidate is retrained on twice the payments of another period. */
export const RELEASES = {
  baseline: { seed: 101, samples: 6_000, epochs: 15, members: 8 },
  canary: { seed: 202, samples: 12_000, epochs: 15, members: 8 },
} as const satisfies Record<string, TrainingOptions>;

/** Share of the rows that a member's bootstrap sample draws. */
const BAG_SHARE = 0.5;
/** Beyond this a double's sigmoid is 0 or 1 exactly; scores stay inside (0, 1). */
const MAX_LOGIT = 30;

/** Trains from generated labelled payments; the same options give the same model. */
export function trainModel(options: TrainingOptions): Model {
  const random = seededRandom(options.seed, 'training');
  const examples = Array.from({ length: options.samples }, () => drawExample(random));
  const inputs = examples.map((example) => example.features.map(Math.log1p));
  const means = FEATURES.map((_, f) => mean(inputs.map((row) => row[f] ?? 0)));
  const scales = FEATURES.map((_, f) => deviation(inputs.map((row) => row[f] ?? 0)));
  const standard = inputs.map((row) => standardise(row, means, scales));
  const members = Array.from({ length: options.members }, () =>
    descend(drawBag(standard, examples, random), options.epochs, options.learningRate ?? 3),
  );
  return { means, scales, members };
}

/** Fraud score in (0, 1) of one payment: the mean of the members' probabilities. `features` as in FEATURES. */
export function score(model: Model, features: readonly number[]): number {
  const row = standardise(features.map(Math.log1p), model.means, model.scales);
  return mean(model.members.map((member) => sigmoid(logit(member.bias, member.weights, row))));
}

interface Bag {
  /** Rows one after the other, FEATURES.length values each. */
  rows: Float64Array;
  labels: Float64Array;
}

function drawBag(standard: readonly number[][], examples: readonly Example[], random: Random): Bag {
  const size = Math.ceil(standard.length * BAG_SHARE);
  const rows = new Float64Array(size * FEATURES.length);
  const labels = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const pick = Math.floor(random() * standard.length);
    rows.set(standard[pick] ?? [], i * FEATURES.length);
    labels[i] = examples[pick]?.label ?? 0;
  }
  return { rows, labels };
}

/** Full-batch gradient descent on the log loss, from zero. */
function descend(bag: Bag, epochs: number, learningRate: number): Member {
  const size = bag.labels.length;
  const width = FEATURES.length;
  const weights = new Float64Array(width);
  let bias = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const gradient = new Float64Array(width);
    let biasGradient = 0;
    for (let i = 0; i < size; i++) {
      const start = i * width;
      const residual = sigmoid(logit(bias, weights, bag.rows, start)) - (bag.labels[i] ?? 0);
      biasGradient += residual;
      for (let f = 0; f < width; f++) gradient[f] = (gradient[f] ?? 0) + residual * (bag.rows[start + f] ?? 0);
    }
    bias -= (learningRate * biasGradient) / size;
    for (let f = 0; f < width; f++) weights[f] = (weights[f] ?? 0) - (learningRate * (gradient[f] ?? 0)) / size;
  }
  return { bias, weights: [...weights] };
}

/** `rows` holds the row from `start` on. */
function logit(bias: number, weights: ArrayLike<number>, rows: ArrayLike<number>, start = 0): number {
  let sum = bias;
  for (let f = 0; f < FEATURES.length; f++) sum += (weights[f] ?? 0) * (rows[start + f] ?? 0);
  return Math.max(-MAX_LOGIT, Math.min(MAX_LOGIT, sum));
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function standardise(row: readonly number[], means: readonly number[], scales: readonly number[]): number[] {
  return row.map((value, f) => (value - (means[f] ?? 0)) / (scales[f] ?? 1));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
}
