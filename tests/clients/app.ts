/** Helpers for the client tests: the API's URL, sign-in and error responses. */

import {Configuration, ProblemFromJSON, ResponseError, type Problem} from '#seller-accounts';

export const API_URL = setting('API_URL');
export const IMIN_URL = setting('IMIN_URL');

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** Create a client configuration for `customer` with a token from the local stack. */
export async function signIn(customer: string): Promise<Configuration> {
  const body = JSON.stringify({customerIdentifier: customer});
  const response = await fetch(`${API_URL}/local/token`, {method: 'POST', body});
  const {accessToken} = (await response.json()) as {accessToken: string};
  return new Configuration({basePath: API_URL, accessToken});
}

/** Return the error response or 304 of a call. Throws if the call succeeds. */
export async function errorResponse(call: Promise<unknown>): Promise<Response> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ResponseError) return error.response;
    throw error;
  }
  throw new Error('the call succeeded');
}

/** Return the problem and the headers of a call that a function rejects. */
export async function problem(call: Promise<unknown>): Promise<{headers: Headers; problem: Problem}> {
  const response = await errorResponse(call);
  return {headers: response.headers, problem: ProblemFromJSON(await response.json())};
}

/** Submit a form as a browser does; return the URL of the redirect. */
export async function submit(url: string, fields: Record<string, string>): Promise<string> {
  const response = await fetch(url, {method: 'POST', body: new URLSearchParams(fields), redirect: 'manual'});
  return response.headers.get('Location') ?? '';
}
