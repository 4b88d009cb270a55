/** Observations as NDJSON: the first look, then so many more, a second apart. */
export function observations(looks: number, { total = 400, bad = 0 } = {}): string {
  const t0 = Date.now();
  const lines = Array.from({ length: looks + 1 }, (_, tick) => ({
    v: 1,
    tick,
    t: t0 + tick * 1000,
    from: t0 + Math.max(0, tick - 1) * 1000,
    canary:
      tick === 0
        ? { errors: { state: 'first' }, latency: { state: 'first' } }
        : {
            errors: { state: 'ok', bad, total },
            latency: { state: 'ok', bounds: [50, 250], counts: [total, 0, 0] },
          },
  }));
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
