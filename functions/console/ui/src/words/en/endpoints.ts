// The page "endpoints".
export const endpoints = {} as const;
