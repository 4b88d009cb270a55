import { expect } from 'chai';
import { unitContradiction, unitOfName } from '../../../../src/lib/metrics/signals/index.js';

describe('units', () => {
  it('are what a name says, and nothing where it says none', () => {
    const unit = (name: string) => unitOfName(name)?.unit ?? null;
    expect(unit('http_request_duration_seconds')).to.equal('s');
    expect(unit('x_duration_milliseconds_histogram')).to.equal('ms');
    expect(unit('nv_inference_first_response_histogram_ms')).to.equal('ms');
    expect(unit('gen_ai.server.time_to_first_token')).to.equal('s');
    expect(unit('vllm:request_generation_tokens')).to.equal('1');
    for (const name of ['model_latency', ':tensorflow:serving:request_latency', 'tgi_request_duration', 'ms_gateway'])
      expect(unit(name), name).to.equal(null);
  });

  it('contradict a page that names another', () => {
    expect(unitContradiction('model_latency', 's', 'milliseconds')).to.equal(
      'model_latency is read in seconds, but its page says "# UNIT model_latency milliseconds": write unit: ms',
    );
    expect(unitContradiction('model_latency', 's', ' Seconds ')).to.equal(null);
    expect(unitContradiction('model_latency', '1', 'bytes')).to.equal(null);
    expect(unitContradiction('model_latency', 's', 'bytes')).to.match(/write unit: 1$/);
    expect(unitContradiction('model_latency', 's', 'furlongs')).to.equal(null);
  });
});
