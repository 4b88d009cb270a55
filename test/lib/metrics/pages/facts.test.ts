import { expect } from 'chai';
import { readExposition } from '../../../../src/lib/metrics/pages/exposition.js';
import { gaugeNotes, whyNoHistogram } from '../../../../src/lib/metrics/pages/facts.js';

const facts = async (text: string, openMetrics = false) =>
  (await readExposition(text, { openMetrics, wanted: () => false })).facts;

describe('facts of a page', () => {
  it('are types, units and names, whatever is wanted', async () => {
    const page = await facts(
      `# TYPE requests counter
# UNIT latency_seconds seconds
#TYPE  latency_seconds\tHistogram\t
# TYPE "my.metric" gauge
# HELP latency_seconds TYPE of text
# TYPE broken
requests_total 1
latency_seconds_bucket{le="1"} 1
latency_seconds_bucket{le="+Inf"} 1
{"my.metric"} 1
# EOF
`,
      true,
    );
    expect([...page.types]).to.deep.equal([
      ['requests', 'counter'],
      ['latency_seconds', 'histogram'],
      ['my.metric', 'gauge'],
    ]);
    expect([...page.units]).to.deep.equal([['latency_seconds', 'seconds']]);
    expect([...page.names]).to.deep.equal(['requests_total', 'latency_seconds_bucket', 'my.metric']);
  });

  it('hold the words of a wanted histogram, and of no other metric', async () => {
    const text = '# HELP lat Duration in ms\r\n# HELP "my.lat" In seconds\n# HELP other_total In ms\n';
    const wanted = (name: string) => name === 'lat_bucket' || name === 'my.lat_bucket' || name === 'other_total';
    const page = await readExposition(text, { openMetrics: false, wanted });
    expect([...page.facts.help]).to.deep.equal([
      ['lat', 'Duration in ms'],
      ['my.lat', 'In seconds'],
    ]);
  });

  it('say why a histogram is not there', async () => {
    const summary = 'the page has m as a summary; a histogram is needed';
    const samples = 'm{quantile="0.95"} 0.2\nm_sum 5\nm_count 50\n';
    expect(whyNoHistogram(await facts(`# TYPE m summary\n${samples}`), 'm')).to.equal(summary);
    expect(whyNoHistogram(await facts(samples), 'm')).to.equal(summary);
    expect(whyNoHistogram(await facts('# TYPE m gauge\nm 1\n'), 'm')).to.match(/has m as a gauge/);
    expect(whyNoHistogram(await facts('# TYPE m histogram\n'), 'm')).to.equal(null);
    expect(whyNoHistogram(await facts('other 1\n'), 'm')).to.equal(null);
  });

  it('tell of gauges that are read as something else', async () => {
    const page = await facts(
      '# TYPE a counter\n# TYPE a gauge\n# TYPE b gauge\n# TYPE h gauge\n# TYPE i_bucket gauge\n',
    );
    expect(gaugeNotes(page, ['a', 'c'], ['h', 'i', 'j'])).to.deep.equal([
      'a is declared a gauge, read as a counter',
      'h is declared a gauge, read as a histogram',
      'i_bucket is declared a gauge, read as a histogram',
    ]);
  });
});
