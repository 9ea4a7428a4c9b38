/** Tests of the operations on whole images. */
@NullMarked
package io.cairn.qcow2.op;

import org.jspecify.annotations.NullMarked;
