import { timestamp } from '../../clock.js';
import { count } from '../../explain/index.js';
import type { CanaryReplay, CanarySeries, ReplayResult } from '../result.js';
import { PLOT_COLUMNS } from './chart.js';
import { charts } from './charts.js';
import { type Html, html } from './html.js';
import { flipWords, overview, policyDifferences, provenance } from './overview.js';
import { inDetail } from './selection.js';
import { type Detail, storyOf } from './story.js';
import { STYLE } from './style.js';
import { sweepMap } from './sweep.js';
import { decisionsOverTime, verdicts } from './verdicts.js';
import { badge } from './words.js';

/**
 * A replay as one self-contained HTML page: no script, no request. Deterministic; text from people is escaped.
 * @param series observations of the result's canaries; one without is shown without charts
 */
export function renderReport(result: ReplayResult, series: readonly CanarySeries[]): string {
  const { canaries, sweep } = result;
  const title = `Replay under ${result.policyName}`;
  const chosen = inDetail(canaries);
  const anchors = new Map(chosen.map((canary) => [canary, `canary-${canaries.indexOf(canary) + 1}`]));
  const observations = new Map(series.map(({ canaryId, observations: all }) => [canaryId, all]));
  const detail = detailFor(chosen.length);
  const parts = chosen.map((canary) =>
    canarySection(canary, observations.get(canary.canaryId) ?? [], anchors.get(canary) ?? '', detail),
  );
  const empty = html`<p><strong>No canary ${result.from === null && result.to === null ? 'selected' : 'in this window'}: nothing to replay.</strong></p>`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<header><p class="kind">lukhas replay report</p>
<h1>${title}</h1>
<p>What another policy would have decided on the recorded observations, by the same judge.</p></header>
<main>
${canaries.length === 0 ? empty : overview(result, anchors)}${policyDifferences(result)}${provenance(result)}${
  sweep === null || canaries.length === 0 ? null : sweepMap(sweep)
}${leftOut(canaries.length, chosen.length)}${parts}</main>
</body>
</html>
`;
  return page.markup;
}

function leftOut(all: number, shown: number): Html | null {
  if (shown === all) return null;
  return html`<p>In detail: ${shown} of ${count(all)} canaries, those that flip first; ${count(all - shown)} are left out.</p>\n`;
}

/** The more canaries there are, the coarser their charts, so that a browser can still open the page. */
function detailFor(canaries: number): Detail {
  const share = (whole: number, least: number, most: number) =>
    Math.min(most, Math.max(least, Math.floor(whole / Math.max(1, canaries))));
  return { columns: share(3500, 70, PLOT_COLUMNS), rows: share(900, 18, 300) };
}

function canarySection(
  canary: CanaryReplay,
  observations: CanarySeries['observations'],
  id: string,
  detail: Detail,
): Html {
  const { canaryId, modelId, fromGate, toGate, startedAt, original, counterfactual } = canary;
  const { count: many, digest, verified } = canary.observations;
  const checked = verified ? 'verified against the log' : 'not verified: no verdict in a log commits to them';
  const story = observations.length === 0 ? null : storyOf(canary, observations, detail);
  return html`<section class="canary" aria-labelledby="${id} ${id}-name"><h2 id="${id}">${modelId}: ${fromGate} → ${toGate}</h2>
<p>${badge(original.outcome)} → ${badge(counterfactual.outcome)} <strong>${flipWords(canary)}</strong>; canary <span class="whole" id="${id}-name">${canaryId}</span>, started <span class="whole">${timestamp(startedAt)}</span></p>
${verdicts(canary)}<p>Replayed: ${count(many)} observations, ${checked}; sha256 <code>${digest}</code></p>
${story === null ? html`<p>No observations to draw.</p>` : html`${decisionsOverTime(story)}${charts(canary, story, id)}`}</section>
`;
}
