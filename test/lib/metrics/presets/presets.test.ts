import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { parseInput } from '../../../../src/lib/input/index.js';
import {
  PRESETS,
  type Preset,
  presetNamed,
  recognise,
  signalsWithPresets,
  UNAVAILABLE_PRESETS,
  unavailablePreset,
  variantFor,
} from '../../../../src/lib/metrics/presets/index.js';
import { parseSignals, signalWarnings } from '../../../../src/lib/metrics/signals/index.js';
import { Version } from './service.js';
import { SHAPES } from './shapes.js';

const DOCS = new URL('../../../../docs/presets/', import.meta.url);
const doc = (name: string) => readFileSync(new URL(`${name}.md`, DOCS), 'utf8');
const page = ({ name }: Preset) => doc(PRESETS.find((preset) => preset.name === name)?.variantOf ?? name);

/** Names on the page of a system, as `init` finds them. */
function namesOf(name: string): Set<string> {
  const shape = SHAPES[name]!;
  const version = new Version('v1', shape.measures, 1);
  version.serve(50, { fail: 0.1, medianMs: 60 });
  return new Set(shape.page([version]).map((line) => line.replace(/^# TYPE (\S+) .*/, '$1').replace(/[{ ].*/, '')));
}

describe('presets', () => {
  it('are found by their name and by other names that people write', () => {
    expect(presetNamed('vllm')!.title).to.equal('vLLM');
    expect(presetNamed('prom-client')!.name).to.equal('express');
    expect(presetNamed('ray')!.name).to.equal('ray-serve');
    expect(presetNamed('constructor')).to.equal(undefined);
    expect(new Set(PRESETS.map(({ name }) => name)).size).to.equal(PRESETS.length);
  });

  it('say what is lacking where there is none', () => {
    expect(unavailablePreset('torchserve')!.words).to.include('Requests5XX');
    expect(unavailablePreset('llama.cpp')!.words).to.include('no latency histogram');
    for (const { name } of UNAVAILABLE_PRESETS) expect(presetNamed(name)).to.equal(undefined);
    expect(unavailablePreset('vllm')).to.equal(undefined);
  });

  describe('in a configuration', () => {
    const read = (given: unknown) => parseInput(signalsWithPresets, given, 'lukhas.yaml', 'CONFIG');

    for (const { name } of PRESETS) {
      it(`are read: ${name}`, () => {
        const config = read({ preset: name });
        expect(config.preset).to.equal(name);
        const signals = parseSignals(config);
        expect(signalWarnings(signals)).to.deep.equal([]);
        if (signals.errors !== null) expect(signals.errors.among || signals.errors.absent === 'zero').to.equal(true);
      });
    }

    it('are recorded by their own name, with the keys beside it', () => {
      const config = read({ preset: 'prom-client', errors: null, latency: { histogram: 'proxy_seconds' } });
      expect(config).to.deep.include({
        preset: 'express',
        requests: 'http_request_duration_seconds_count',
        errors: null,
        histograms: { latency: { histogram: 'proxy_seconds', unit: 's' } },
      });
    });

    it('say why a system has none, or which name is nearest', () => {
      const wrong = (preset: string) => () => read({ preset });
      expect(wrong('torchserve')).to.throw(/there is no preset for TorchServe: its latency is a running sum/);
      expect(wrong('llama.cpp')).to.throw(/there is no preset for llama.cpp server/);
      expect(wrong('vlm')).to.throw('"vlm" is not a preset; did you mean vllm?');
    });
  });

  it('see failures, but for the one that says it cannot', () => {
    const blind = PRESETS.filter(({ failures }) => !failures.visible);
    expect(blind.map(({ name }) => name)).to.deep.equal(['kserve']);
    for (const { signals, failures } of PRESETS) expect('errors' in signals).to.equal(failures.visible);
  });

  describe('are recognized', () => {
    for (const { name } of PRESETS) {
      it(`by the names of ${name}, before any other`, () => {
        expect(recognise(namesOf(name))[0]?.name).to.equal(name);
      });
    }

    it('nowhere on a page of something else', () => {
      expect(
        recognise(new Set(['go_goroutines', 'http_requests_total', 'http_request_duration_seconds_bucket'])),
      ).to.deep.equal([]);
    });

    it('beside others that are there too', () => {
      const both = new Set([...namesOf('istio'), ...namesOf('envoy')]);
      expect(recognise(both).map(({ name }) => name)).to.deep.equal(['istio', 'envoy']);
    });

    it('by the exporter that leaves units out', () => {
      const otel = presetNamed('otel-http')!;
      expect(variantFor(otel, namesOf('otel-http-no-unit')).name).to.equal('otel-http-no-unit');
      expect(variantFor(otel, namesOf('otel-http'))).to.equal(otel);
      expect(variantFor(otel, new Set())).to.equal(otel);
      expect(variantFor(otel, new Set([...namesOf('otel-http'), ...namesOf('otel-http-no-unit')]))).to.equal(otel);
    });

    it('by the release that has other names', () => {
      for (const { name, variantOf } of PRESETS.filter((preset) => preset.variantOf !== undefined))
        expect(variantFor(presetNamed(variantOf!)!, namesOf(name)).name).to.equal(name);
    });
  });

  describe('have a page', () => {
    const named = PRESETS.filter(({ variantOf }) => variantOf === undefined);

    for (const preset of named) {
      it(`of ${preset.name} that says what the table says`, () => {
        const [configuration, signals] = [...page(preset).matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) =>
          parse(yaml!),
        );
        expect(configuration.signals).to.deep.equal({ preset: preset.name });
        expect(signals).to.deep.equal({ signals: preset.signals });
        for (const words of [preset.trap, preset.versions.words, preset.failures.words, preset.systemVersion]) {
          expect(page(preset)).to.include(words);
        }
        if (!preset.failures.visible) expect(page(preset)).to.include('They cannot be seen.');
      });
    }

    it('of each variant, on that of its preset', () => {
      for (const variant of PRESETS.filter(({ variantOf }) => variantOf !== undefined)) {
        expect(page(variant)).to.include(`\`${variant.name}\``);
      }
    });

    it('and no other', () => {
      const pages = readdirSync(DOCS).filter((file) => file !== 'README.md');
      expect(pages.sort()).to.deep.equal(named.map(({ name }) => `${name}.md`).sort());
    });

    it('and a row in the table of all', () => {
      const rows = [
        ...doc('README').matchAll(/^\| \[(.*?)\]\((.*?)\.md\) \| (.*?) \| (yes|no) \| (.*?) \| (.*?) \|$/gm),
      ];
      const written = rows.map(([, name, file, title, visible, latency, labels]) => ({
        name,
        file,
        title,
        visible: visible === 'yes',
        latency: latency !== 'no',
        labels: labels!.replaceAll('`', '').split(', '),
      }));
      expect(written).to.deep.equal(
        named.map(({ name, title, failures, signals, versions }) => ({
          name,
          file: name,
          title,
          visible: failures.visible,
          latency: 'latency' in signals,
          labels: [...versions.labels],
        })),
      );
      for (const { title, words } of UNAVAILABLE_PRESETS) expect(doc('README')).to.include(`**${title}**: ${words}.`);
    });
  });
});
