@NullMarked
package io.cairn.guest.bhyve.nv;

import org.jspecify.annotations.NullMarked;
