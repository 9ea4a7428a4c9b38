package io.cairn.storage;

/**
 * One reason why a plan cannot be executed now.
 *
 * @param code what kind of obstacle it is; becomes the error's code when all blockers of a plan
 *     agree
 * @param object the thing that is in the way, such as {@code disk system} or {@code vm1@base}
 * @param message what is wrong with it, a sentence without the object
 * @param hint what to do about it
 */
public record Blocker(ErrorCode code, String object, String message, String hint) {
  @Override
  public String toString() {
    return object + " " + message;
  }
}
