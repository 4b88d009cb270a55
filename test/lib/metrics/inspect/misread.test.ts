import { expect } from 'chai';
import type { Finding } from '../../../../src/lib/metrics/inspect/index.js';
import { histogram, type Look, lookAt } from './pages.js';

/** Configurations that count, but not what was meant: each would end in a certified verdict that is wrong. */
describe('the first look at what would be misread', () => {
  const fatal = (look: Look): Finding[] => lookAt(look).filter(({ level }) => level === 'fatal');
  const words = (look: Look): string[] => fatal(look).map(({ words: said }) => said);
  const series = (labels: string, value = 1000): string => `r_total{${labels}} ${value}\n`;

  describe('failures that are not selected', () => {
    const missed: [string, string, string][] = [
      ['success="False"', 'success="true"', 'success="false"'],
      ['ok="no"', 'ok="1"', 'ok="0"'],
      ['is_error="1"', 'is_error="false"', 'is_error="true"'],
      ['grpc_code="Internal"', 'grpc_code="OK"', 'grpc_code="Unknown"'],
      ['grpc_status="13"', 'grpc_status="0"', 'grpc_status="14"'],
      ['exception="OOM"', 'exception="None"', 'exception="KeyMissing"'],
      ['outcome="error"', 'outcome="ok"', 'outcome="timed_out"'],
      ['state="error"', 'state="done"', 'state="OOMKilled"'],
      ['result="error"', 'result="ok"', 'result="not_ok"'],
    ];
    for (const [selected, good, bad] of missed)
      it(`refuses ${bad} where ${selected} is selected`, () => {
        const look = { requests: 'r_total', errors: `r_total{${selected}}`, page: series(good) + series(bad, 7) };
        expect(words(look)).to.deep.equal([
          `${bad} looks like a failure, and r_total{${selected}} does not count it (7 so far)`,
        ]);
      });

    const never: [string, string, RegExp][] = [
      ['status="error"', 'status="200"', /values of status are codes \(status seen: 200\)/],
      ['status=~"5.."', 'status="success"', /values of status are words, not codes/],
      ['grpc_status=~"5.."', 'grpc_status="0"', /values of grpc_status are numbers of gRPC/],
      ['code=~"Internal|Unavailable"', 'code="0"', /values of code are numbers of gRPC .*"2\|4\|12\|13\|14\|15"/],
      ['code=~"13|14"', 'code="OK"', /values of code are names of gRPC .*=~"\(\?i\)unknown\|deadline_\?exceeded\|/],
      ['code=~"13|14"', 'code="NotFound"', /values of code are names of gRPC .*=~"Unknown\|DeadlineExceeded\|/],
    ];
    for (const [selected, there, expected] of never)
      it(`refuses ${selected} where the page has ${there}`, () => {
        const [found] = fatal({ requests: 'r_total', errors: `r_total{${selected}}`, page: series(there) });
        expect(`${found?.words} ${found?.advice}`).to.match(expected);
        expect(found?.mayAppear).to.equal(true);
      });

    for (const [selected, there] of [
      ['status!~"2..|3..|4.."', 'status="200"'],
      ['status=~"5..|error"', 'status="200"'],
      ['outcome="failure"', 'outcome="success"'],
      ['grpc_code!="OK"', 'grpc_code="OK"'],
      ['success="false"', 'success="true"'],
      // What a number means that is named, its reader knows.
      ['code!="1"', 'code="0"'],
      ['response_code=~"5..|0"', 'response_code="0"'],
      ['response_code!="200"', 'response_code="0"} 9\nr_total{response_code="200"'],
      ['code=~"Internal|13"', 'code="0"'],
      ['code=~"Internal|13"', 'code="OK"'],
    ] as const)
      it(`has nothing against ${selected} where the page has ${there}`, () => {
        expect(fatal({ requests: 'r_total', errors: `r_total{${selected}}`, page: series(there) })).to.deep.equal([]);
      });
  });

  describe('what succeeded and is selected as failed', () => {
    for (const [errors, there] of [
      ['r_total{code!="OK"}', 'code="ok"'],
      ['r_total{code!="OK"}', 'code="0"'],
      ['r_total{code!~"OK|NotFound"}', 'code="0"'],
      ['r_total - r_total{code="OK"}', 'code="0"'],
      ['r_total{code!="200"}', 'code="204"'],
      ['r_total{error_type!=""}', 'error_type="none"'],
      ['r_total - r_total{code="OK"}', 'code="ok"'],
    ] as const)
      it(`refuses ${errors} where the page has ${there}`, () => {
        expect(words({ requests: 'r_total', errors, page: series(there) })[0]).to.equal(
          `${there} does not look like a failure, and ${errors} counts it as one (1,000 so far)`,
        );
      });

    it('refuses to take off successes of another name than those that are there', () => {
      const page = 's_total 1000\nh_total{code="200"} 1000\n';
      const [found] = fatal({ requests: 's_total', errors: 's_total - h_total{code="OK"}', page });
      expect(found).to.include({ words: 'no series h_total{code="OK"} (code seen: 200)' });
      expect(found?.advice).to.contain('code="200"');
    });

    it('has nothing against one value that is named, or failures alone', () => {
      const page = series('code="OK"') + series('code="INTERNAL"', 3);
      expect(fatal({ requests: 'r_total', errors: 'r_total{code!="OK"}', page })).to.deep.equal([]);
      expect(fatal({ requests: 'r_total', errors: 'r_total - r_total{code="OK"}', page })).to.deep.equal([]);
      const dead = { requests: 's_total', errors: 's_total - h_total{code="OK"}' };
      expect(fatal({ ...dead, page: 's_total 1000\nh_total{code="INTERNAL"} 1000\n' })).to.deep.equal([]);
    });
  });

  it('refuses failures of requests that are left out, of the same metric', () => {
    const page = series('path="predict",code="200"') + series('path="health",code="500"', 70);
    const look = { requests: 'r_total{path="predict"}', errors: 'r_total{code=~"5.."}', page };
    expect(words(look)).to.deep.equal([
      'r_total{code=~"5.."} also counts failures of requests that signals.requests leaves out (path="health": 70 so far)',
    ]);
    expect(fatal(look)[0]!.advice).to.equal('Write r_total{code=~"5..",path="predict"} in signals.errors.');
    // They may come at any time.
    expect(words({ ...look, page: series('path="predict",code="200"') })).to.deep.equal([
      'r_total{code=~"5.."} also counts failures of requests that signals.requests leaves out',
    ]);
    const unproved = {
      requests: 'r_total{code!~"4.."}',
      errors: 'r_total{code=~"(5|6).."}',
      page: series('code="200"'),
    };
    expect(fatal(unproved)).to.deep.equal([]);
  });

  it('asks whether a counter of failures that is not there is another one, also where it may appear', () => {
    const look = { requests: 'req_total', absent: 'zero' as const };
    for (const [errors, there] of [
      ['err_total', 'errs_total'],
      ['predict_failed_total', 'predict_failures_total'],
      ['predict_errors_total', 'predict_err_total'],
    ] as const)
      expect(words({ ...look, errors, page: `req_total 1000\n${there} 90\n` })).to.deep.equal([
        `no series ${errors}; did you mean ${there}?`,
      ]);
  });

  describe('series that count no requests', () => {
    const judge = (requests: string, page: string): Finding[] =>
      fatal({ requests, errors: `${requests}{c="5"}`, page });

    it('refuses the buckets of a histogram, but not one of them', () => {
      const page = histogram('lat_seconds', 'c="2",');
      const [found] = judge('lat_seconds_bucket', page);
      expect(found?.words).to.contain('lat_seconds_bucket are the buckets of a histogram');
      expect(found?.advice).to.equal('Write lat_seconds_count.');
      const one = 'lat_seconds_bucket{le="+Inf"}';
      expect(fatal({ requests: one, errors: 'lat_seconds_bucket{le="+Inf",c="5"}', page })).to.deep.equal([]);
    });

    it('refuses the sum of a histogram and the quantiles of a summary', () => {
      expect(judge('lat_seconds_sum', histogram('lat_seconds', 'c="2",'))[0]?.advice).to.equal(
        'Write lat_seconds_count.',
      );
      const summary = 'lat{c="2",quantile="0.5"} 0.1\nlat_sum{c="2"} 7\nlat_count{c="2"} 90\n';
      expect(judge('lat', summary)[0]?.words).to.equal('lat are the quantiles of a summary, not a counter');
    });

    it('refuses a gauge whose name says that it falls, but not a counter that is declared as one', () => {
      expect(judge('rps', '# TYPE rps gauge\nrps{c="2"} 90\n')[0]?.words).to.contain('rps is a gauge');
      expect(judge('requests_active', '# TYPE requests_active gauge\nrequests_active{c="2"} 90\n')).to.have.length(1);
      expect(judge('served', '# TYPE served gauge\nserved{c="2"} 90\n')).to.deep.equal([]);
      expect(
        judge('rate_limited_total', '# TYPE rate_limited_total counter\nrate_limited_total{c="2"} 90\n'),
      ).to.deep.equal([]);
    });
  });

  describe('milliseconds that are read as seconds', () => {
    it('asks for the unit where the bounds would fit in another one', () => {
      const [found] = fatal({ latency: 'api_latency', page: histogram('api_latency', '', [50, 250, 1000]) });
      expect(found?.words).to.contain('has no bucket that ends at or below it (bounds 50000, 250000, 1000000 ms)');
      expect(found?.advice).to.equal(
        'Its bounds are read in s: if they are ms, write unit: ms beside histogram: api_latency.',
      );
      const named = fatal({ latency: 'api_seconds', page: histogram('api_seconds', '', [50, 250, 1000]) });
      expect(named[0]?.advice).to.match(/^Add a bucket/);
    });

    it('believes the words of # HELP, where they name one unit', () => {
      const page = (help: string): string => `# HELP api_latency ${help}\n${histogram('api_latency')}`;
      expect(words({ latency: 'api_latency', page: page('Duration of requests in ms') })).to.deep.equal([
        'api_latency is read in seconds, but its page says "# HELP api_latency Duration of requests in ms": write unit: ms',
      ]);
      for (const help of ['Duration', 'Duration in seconds', 'Duration in s', 'In seconds, not milliseconds'])
        expect(words({ latency: 'api_latency', page: page(help) })).to.deep.equal([]);
    });
  });
});
