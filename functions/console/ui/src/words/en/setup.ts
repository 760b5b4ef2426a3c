// The page "setup".
export const setup = {} as const;
