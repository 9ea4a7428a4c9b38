package io.cairn.checkpoint.guest;

import java.time.Duration;

/**
 * What a save is expected to cost.
 *
 * @param method how it would be done, in the driver's word
 * @param pause for how long the guest would not run, at a guess that is rather too long
 * @param bytesToWrite an upper bound of what is written, temporary files included
 */
public record SaveEstimate(String method, Duration pause, long bytesToWrite) {}
