import { expect } from 'chai';
import { type Proposal, propose, type Wishes } from '../../../../src/lib/metrics/discover/index.js';
import { facts, halved, histogram } from './pages.js';

const SECONDS = ['0.1', '0.25', '1'];
const found = (page: string | readonly string[], wishes: Wishes = {}): Proposal => propose(facts(page), wishes);
const arms = ({ arms: { found: told } }: Proposal) =>
  told === null ? null : [told.label, told.canaryValue, told.baselineValue];

/** A service that counts by one histogram with these labels for each of its series. */
const service = (...labels: string[]): string =>
  labels.map((one, i) => histogram('api_request_duration_seconds', one, SECONDS, [10, 20, 29, 30 + i])).join('\n');

describe('propose', () => {
  describe('finds how failures are told', () => {
    for (const [what, labels, errors] of [
      ['an HTTP status', ['code="200"', 'code="503"'], '{code=~"5.."}'],
      ['an HTTP status before anything failed', ['status="200"'], '{status=~"5.."}'],
      ['a connection that broke', ['response_code="200"', 'response_code="0"'], '{response_code=~"5..|0"}'],
      ['a class of statuses', ['status="2xx"', 'status="4xx"'], '{status="5xx"}'],
      ['an outcome', ['outcome="SUCCESS"', 'outcome="CLIENT_ERROR"'], '{outcome="SERVER_ERROR"}'],
      ['success true or false', ['success="true"'], '{success="false"}'],
      ['what is not a success', ['result="ok"', 'result="timeout"', 'result="error"'], '{result!="ok"}'],
      ['a code of gRPC', ['grpc_code="OK"', 'grpc_code="Unavailable"'], '{grpc_code!="OK"}'],
      ['an error that only failures name', ['route="/a"', 'route="/a",error_type="timeout"'], '{error_type!=""}'],
      ['an exception that is None', ['exception="None"', 'exception="IOError"'], '{exception!="None"}'],
    ] as const)
      it(`by ${what}`, () => {
        expect(found(service(...labels)).errors).to.include({
          text: `api_request_duration_seconds_count${errors}`,
          absentZero: false,
        });
      });

    it('and lists the values that were seen', () => {
      const { errors } = found(service('code="200"', 'code="404"', 'code="500"'));
      expect(errors.notes).to.deep.equal(['3 values of code seen: 200, 404, 500']);
    });

    it('by another counter, which may not be there before the first failure', () => {
      const page = `${service('')}\n# TYPE api_requests_total counter\napi_requests_total 30\n# TYPE api_errors_total counter\napi_errors_total 2`;
      const { requests, errors, latency } = found(page);
      expect([requests.text, errors.text, errors.absentZero]).to.deep.equal([
        'api_requests_total',
        'api_errors_total',
        true,
      ]);
      expect(latency.text).to.equal('api_request_duration_seconds');
    });

    it('by successes and failures that are counted apart', () => {
      const page = '# TYPE infer_success counter\ninfer_success 9\n# TYPE infer_failure counter\ninfer_failure 1';
      const { requests, errors } = found(page);
      expect([requests.text, errors.text]).to.deep.equal(['infer_success + infer_failure', 'infer_failure']);
    });

    it('not by a counter without the label of the versions, which would never fail', () => {
      const page = `${service('version="v1"', 'version="v2"')}\n# TYPE api_errors_total counter\napi_errors_total 2`;
      const { errors } = found(page);
      expect(errors.text).to.equal(null);
      expect(errors.notes[0]).to.match(/api_errors_total has no label version/);
    });

    it('not at all, and says what to write', () => {
      const { errors } = found(service(''));
      expect(errors.text).to.equal(null);
      expect(errors.notes.join(' ')).to.match(/no label or counter of failures.*errors: .*status=~"5\.\."/);
    });
  });

  describe('finds what tells versions apart', () => {
    for (const [what, labels, wanted] of [
      ['a version', ['version="v9"', 'version="v10"'], ['version', 'v10', 'v9']],
      ['a track', ['track="stable"', 'track="canary"'], ['track', 'canary', 'stable']],
      ['a canary without the label', ['canary=""', 'canary="fraud-80"'], ['canary', 'fraud-80', '']],
      ['a gate', ['gate="production"', 'gate="stage"'], ['gate', 'stage', 'production']],
      [
        'names of deployments',
        ['deployment="fraud"', 'deployment="fraud-canary"'],
        ['deployment', 'fraud-canary', 'fraud'],
      ],
      ['one version, whose next is a guess', ['version="v1"'], ['version', 'v2', 'v1']],
    ] as const)
      it(`by ${what}`, () => {
        expect(arms(found(service(...labels)))).to.deep.equal(wanted);
      });

    it('by pods of two deployments', () => {
      const { arms: told } = found(
        service('pod="fraud-v1-6d4f9c7b8-abc12"', 'pod="fraud-v2-7f5b8d9c6-xyz98"', 'pod="fraud-v2-7f5b8d9c6-qrs76"'),
      );
      expect(told.found).to.deep.include({
        canary: [{ label: 'pod', op: '=~', value: 'fraud-v2(-[a-z0-9]{4,10})?-[a-z0-9]{5}' }],
        baseline: [{ label: 'pod', op: '=~', value: 'fraud-v1(-[a-z0-9]{4,10})?-[a-z0-9]{5}' }],
      });
    });

    for (const [what, labels] of [
      ['services that have nothing in common', ['service="cart"', 'service="search"']],
      ['two pods of one deployment', ['pod="fraud-6d4f9c7b8-abc12"', 'pod="fraud-6d4f9c7b8-xyz98"']],
      ['who calls', ['source_version="v1"', 'source_version="v2"']],
    ] as const)
      it(`not by ${what}`, () => {
        expect(arms(found(service(...labels)))).to.equal(null);
      });

    it('by those with traffic', () => {
      const page = service('version="v1"', 'version="v2"', 'version="v3"');
      const idle = (text: string) =>
        text.replace(/^(?!.*v3)(.*) (\d+)$/gm, (_, name: string, value: string) => `${name} ${Number(value) / 2}`);
      expect(arms(propose(facts(page, 10, idle)))).to.deep.equal(['version', 'v2', 'v1']);
    });

    it('by pages of their own', () => {
      const proposal = propose(facts([service('code="200"'), service('code="200"')], 10, halved));
      expect(arms(proposal)).to.equal(null);
      expect(proposal.measured).to.include({ canaryPerSecond: 1.5, baselinePerSecond: 1.5 });
    });

    it('not by two things that are served', () => {
      const models = service('model="fraud-1"', 'model="fraud-2"', 'model="ocr"');
      expect(arms(found(models))).to.deep.equal(['model', 'fraud-2', 'fraud-1']);
      expect(arms(found(service('model="fraud"', 'model="ocr"')))).to.equal(null);
      const paths = ['fraud/versions/v1', 'fraud/versions/v2', 'ocr/versions/v1'];
      const page = paths
        .map((one) => `rest_server_requests_total{path="/v2/models/${one}/infer",status_code="200"} 9`)
        .concat(histogram('rest_server_request_duration_seconds', 'path="/x/infer"', SECONDS, [1, 2, 3, 4]))
        .join('\n');
      expect(arms(found(page))).to.deep.equal([
        'path',
        '/v2/models/fraud/versions/v2/infer',
        '/v2/models/fraud/versions/v1/infer',
      ]);
    });

    it('of one thing, where the versions of several are there', () => {
      const labels = (model: string, version: number) => `model="${model}",version="${version}"`;
      const page = service(labels('ocr', 1), labels('ocr', 2), labels('fraud', 1), labels('fraud', 2));
      const { arms: told } = propose(facts(page, 10, halved));
      expect(told.found?.canary).to.deep.equal([
        { label: 'model', op: '=', value: 'fraud' },
        { label: 'version', op: '=', value: '2' },
      ]);
      expect(told.found?.baseline?.[0]).to.deep.equal({ label: 'model', op: '=', value: 'fraud' });
      expect(told.notes).to.include(
        'check this: there are series of 2 values of model (fraud, ocr); only fraud is judged',
      );
    });

    it('and not by the name of what is served, where another label says it', () => {
      const series = ['', 'ml-fraud-80'].map(
        (canary) => `nginx_ingress_controller_requests{ingress="fraud",canary="${canary}",status="200"} 9`,
      );
      series.push('nginx_ingress_controller_requests{ingress="other",canary="",status="500"} 5');
      const page = [
        ...series,
        histogram('nginx_ingress_controller_request_duration_seconds', 'canary=""', SECONDS, [1, 2, 3, 4]),
      ].join('\n');
      const { arms: told } = found(page);
      expect(told.found?.canary.map(({ label, value }) => [label, value])).to.deep.equal([
        ['ingress', 'fraud'],
        ['canary', 'ml-fraud-80'],
      ]);
      expect(told.found?.baseline?.map(({ label, value }) => [label, value])).to.deep.equal([
        ['ingress', 'fraud'],
        ['canary', ''],
      ]);
    });

    it('and says so where pages of their own have several models', () => {
      const page = service('model_name="fraud"', 'model_name="ocr"');
      expect(propose(facts([page, page], 10, halved)).arms.notes).to.include(
        'check this: there are series of 2 values of model_name (fraud, ocr), and all are judged together',
      );
    });

    it('and says so where one page has several models, and nothing tells versions apart', () => {
      const { arms: alone } = found(service('model="fraud"', 'model="ocr"'));
      expect(alone.found).to.equal(null);
      expect(alone.notes.slice(-2)).to.deep.equal([
        'check this: there are series of 2 values of model (fraud, ocr), and all are judged together',
        'to judge one, write e.g. arms: { canary: { model: "fraud" } }',
      ]);
      expect(found(service('model="fraud"')).arms.notes.join()).not.to.contain('check this');
    });

    it('as somebody wishes', () => {
      const page = service('version="v1",zone="a"', 'version="v2",zone="a"');
      expect(arms(found(page, { canary: { zone: 'b' }, baseline: { zone: 'a' } }))).to.deep.equal(['zone', 'b', 'a']);
      expect(() => found(page, { by: 'zone' })).to.throw('--by zone');
    });
  });

  it('leaves health checks out, as they hide what fails', () => {
    const page = service('path="/predict",code="200"', 'path="/healthz",code="200"');
    const { requests, errors, latency } = found(page);
    expect(requests.text).to.equal('api_request_duration_seconds_count{path="/predict"}');
    expect(errors.text).to.equal('api_request_duration_seconds_count{path="/predict", code=~"5.."}');
    expect(latency.text).to.equal('api_request_duration_seconds{path="/predict"}');
  });

  it('does not take the work of a runtime, a database or a queue for requests', () => {
    const page = [
      histogram('go_gc_duration_seconds', '', SECONDS, [900, 900, 900, 900]),
      histogram('db_query_duration_seconds', 'status="ok"', SECONDS, [900, 900, 900, 900]),
      histogram('http_client_request_duration_seconds', 'code="200"', SECONDS, [900, 900, 900, 900]),
      histogram('request_size_bytes', '', ['100', '1000'], [1, 2, 3]),
      service('code="200"'),
    ].join('\n');
    const { requests, latency } = found(page);
    expect([requests.text, latency.text]).to.deep.equal([
      'api_request_duration_seconds_count',
      'api_request_duration_seconds',
    ]);
  });

  it('finds the unit by the name, the page, or the size of the bounds, and says so where it is a guess', () => {
    const latency = (name: string, bounds: readonly string[], more = '') =>
      found(`${more}${histogram(name, 'code="200"', bounds, [1, 2, 3])}`).latency;
    expect(latency('predict_latency_ms', ['50', '100']).unit).to.equal('ms');
    expect(latency('predict_latency', ['50', '100'], '# UNIT predict_latency milliseconds\n').unit).to.equal('ms');
    expect(latency('predict_latency', ['0.5', '10']).unit).to.equal('s');
    const guess = latency('predict_latency', ['50', '10000']);
    expect([guess.unit, guess.notes.some((note) => /check the unit/.test(note))]).to.deep.equal(['ms', true]);
  });

  it('says why there is no latency where there are summaries only', () => {
    const page = '# TYPE predict_seconds summary\npredict_seconds{quantile="0.95"} 0.1\npredict_seconds_count 5';
    expect(found(page).latency).to.deep.include({ text: null });
    expect(found(page).latency.notes[0]).to.match(/predict_seconds: a summary has no buckets/);
  });

  it('counts requests and failures by a summary where nothing else counts them', () => {
    const page = [200, 500].map((code) => `http_request_duration_seconds_count{code="${code}"} 5`).join('\n');
    const summary = `# TYPE http_request_duration_seconds summary\n${page}`;
    expect(found(summary).requests.text).to.equal('http_request_duration_seconds_count');
    expect(found(summary).errors.text).to.equal('http_request_duration_seconds_count{code=~"5.."}');
    expect(found(`${summary}\nhttp_requests_total{code="200"} 5`).requests.text).to.equal('http_requests_total');
    expect(found('# TYPE http_response_size_bytes summary\nhttp_response_size_bytes_count 5').requests.text).to.equal(
      null,
    );
  });

  it('takes no gauge for a counter, and none of the handler of the page for requests in flight', () => {
    const page = 'model_inprogress_requests 1\nmodel_requests_total 5\npromhttp_metric_handler_requests_in_flight 1';
    expect(found(page).inflight.text).to.equal('model_inprogress_requests');
    expect(found(page).requests).to.deep.include({ text: 'model_requests_total', notes: [] });
  });

  it('finds scores, kinds of answers, and requests in flight', () => {
    const score = found(
      `${service('')}\n${histogram('fraud_score', '', ['0.5', '0.9'], [1, 2, 3])}\n# TYPE api_requests_in_flight gauge\napi_requests_in_flight 3`,
    );
    expect([score.drift.text, score.inflight.text]).to.deep.equal(['fraud_score', 'api_requests_in_flight']);
    const kinds = found(
      `${service('')}\n# TYPE decisions_total counter\ndecisions_total{decision="allow"} 5\ndecisions_total{decision="deny"} 1`,
    );
    expect(kinds.drift).to.include({ text: 'decisions_total', by: 'decision' });
  });

  it('measures each version while it watches', () => {
    const page = service('version="v1",code="200"', 'version="v2",code="200"');
    const { measured } = propose(facts(page, 10, halved));
    expect(measured).to.deep.include({ canaryPerSecond: 1.55, baselinePerSecond: 1.5, failed: 0, p95AtMost: 1000 });
  });

  it('recognizes systems, and leaves out of their presets what is not there', () => {
    const page = [
      histogram('vllm:e2e_request_latency_seconds', 'model_name="acme/llm"', SECONDS, [1, 2, 3, 4]),
      '# TYPE http_requests_total counter',
      'http_requests_total{handler="/v1/completions",method="POST",status="2xx"} 4',
    ].join('\n');
    const { preset, errors, latency } = found(page);
    expect(preset?.name).to.equal('vllm');
    expect(preset?.missing).to.include.members(['ttft', 'drift', 'inflight']);
    expect(latency.text).to.equal('vllm:e2e_request_latency_seconds');
    expect(errors.text).to.match(/^http_requests_total\{.*status=~"5\.\."\}$/);
  });

  it('recognizes a system by its older names, and where a label that may be missing is missing', () => {
    const old = ['fraud', 'fraud'].map((model, i) => {
      const labels = `{model="${model}",version="${i + 1}"}`;
      return `nv_inference_request_success${labels} 90\nnv_inference_request_failure${labels} 1`;
    });
    expect(found(old.join('\n')).preset?.name).to.equal('triton');
    const knative = [
      '# TYPE revision_request_count counter',
      'revision_request_count{response_code="200",response_code_class="2xx"} 9',
      histogram('revision_request_latencies', 'response_code="200"', ['100', '250'], [1, 2, 3]),
    ].join('\n');
    const { preset, latency } = found(knative);
    expect([preset?.name, latency.unit]).to.deep.equal(['knative-opencensus', 'ms']);
  });

  it('writes names from outside so that they can be read, and seen', () => {
    const page = [
      '{"api.request.duration_seconds_bucket",le="+Inf",code="200","a \\" b"="\u202ex"} 3',
      '{"api.request.duration_seconds_bucket",le="1",code="200","a \\" b"="\u202ex"} 3',
      '{"api.request.duration_seconds_count",code="200",path="/a\\nb"} 3',
      '{"api.request.duration_seconds_count",code="200",path="/healthz"} 3',
    ].join('\n');
    expect(found(page).errors.text).to.equal('{"api.request.duration_seconds_count", path="/a\\nb", code=~"5.."}');
  });
});
