/** A lease outlives two missed renewals and the slowest read; a holder that is certainly dead is noticed at once. */
const SLACK_MS = 30_000;

export function leaseMs(intervalSeconds: number): number {
  return 2 * intervalSeconds * 1000 + SLACK_MS;
}
