// Where the page is: everything it asks for is named from here, since it may be served below a path.

/** The page's own address, with a slash at its end; also where a sign-in comes back to. */
export function here(): URL {
  return new URL(".", document.baseURI.split(/[?#]/)[0]);
}

/** The address of something that is served beside the page. */
export function beside(path: string): URL {
  return new URL(path.replace(/^\//, ""), here());
}
