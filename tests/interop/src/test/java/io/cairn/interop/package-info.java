/**
 * Cairn against the tools of QEMU and e2fsprogs: what Cairn writes, they must find faultless, and
 * what they read from it must equal a reference that Cairn never saw.
 */
@NullMarked
package io.cairn.interop;

import org.jspecify.annotations.NullMarked;
