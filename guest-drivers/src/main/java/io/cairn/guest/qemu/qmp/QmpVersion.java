package io.cairn.guest.qemu.qmp;

/**
 * The version that QEMU greets with. For people: what a QEMU can do is asked of it, because
 * distributions carry features back.
 *
 * @param major such as 7
 * @param minor such as 2
 * @param micro such as 22
 * @param build what the distribution calls its build; may be empty
 */
public record QmpVersion(int major, int minor, int micro, String build) {
  @Override
  public String toString() {
    return major + "." + minor + "." + micro;
  }
}
