/** Errors as seen through the client: from API Gateway, from a function, and when imin fails. */

import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {test} from 'node:test';

import {AccountsApi, Configuration, FetchError, GatewayMessageFromJSON, LinksApi} from '#seller-accounts';
import {API_URL, problem, errorResponse, signIn} from './app.js';

const customerIdentifier = 'me';
const rosie = await signIn('rosie');

test('API Gateway rejects an invalid token', async () => {
  const api = new AccountsApi(new Configuration({basePath: API_URL, accessToken: 'a.b.c'}));

  const response = await errorResponse(api.getAccounts({customerIdentifier}));

  assert.equal(response.status, 401);
  assert.match(response.headers.get('WWW-Authenticate') ?? '', /^Bearer/);
  assert.equal(GatewayMessageFromJSON(await response.json()).message, 'Unauthorized');
});

test("another customer's accounts are forbidden", async () => {
  const {problem: error} = await problem(new AccountsApi(rosie).getAccounts({customerIdentifier: 'member'}));

  assert.deepEqual([error.status, error.code, error.retryable], [403, 'forbidden', false]);
  assert.equal(error.type, 'urn:seller-accounts:problem:forbidden');
  assert.ok(error.requestId);
});

test('a redirect URI that is not allowed is rejected', async () => {
  const redirectUri = 'https://elsewhere.example.com/';

  const {problem: error} = await problem(new AccountsApi(rosie).getAccounts({customerIdentifier, redirectUri}));

  assert.deepEqual([error.status, error.code, error.retryable], [400, 'redirect_uri_not_allowed', false]);
});

test('an unknown link is not found', async () => {
  const {problem: error} = await problem(new LinksApi(rosie).getLink({customerIdentifier, linkId: randomUUID()}));

  assert.deepEqual([error.status, error.code, error.retryable], [404, 'link_not_found', false]);
});

for (const [customer, status, code, retryAfter] of [
  ['broken', 502, 'upstream_invalid_response', null],
  ['busy', 503, 'upstream_unavailable', '30'],
  ['slow', 504, 'upstream_timeout', null],
] as const) {
  test(`when imin fails for ${customer}, the response is ${status} and says whether to retry`, async () => {
    const api = new AccountsApi(await signIn(customer));

    const {headers, problem: error} = await problem(api.getAccounts({customerIdentifier}));

    assert.deepEqual([error.status, error.code, error.retryable], [status, code, true]);
    assert.equal(headers.get('Retry-After'), retryAfter);
  });
}

test('a refused connection is a FetchError', async () => {
  const unreachable = new AccountsApi(new Configuration({basePath: 'http://127.0.0.1:9'}));

  await assert.rejects(unreachable.getAccounts({customerIdentifier}), FetchError);
});
