/** Tests of the backend. */
@NullMarked
package io.cairn.qcow2.backend;

import org.jspecify.annotations.NullMarked;
