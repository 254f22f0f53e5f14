import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Bench } from './bench.ts';

describe('the OpenAPI page', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start();
  });
  afterAll(() => bench.stop());

  it('is a valid OpenAPI 3.1 document', async () => {
    const { body } = await bench.call<Record<string, unknown>>(undefined, 'GET', '/v1/openapi.json');
    const validator = new Validator();
    const result = await validator.validate(body);
    expect(result).toEqual({ valid: true });
    expect([validator.version, body.openapi]).toEqual(['3.1', '3.1.0']);
  });
});
