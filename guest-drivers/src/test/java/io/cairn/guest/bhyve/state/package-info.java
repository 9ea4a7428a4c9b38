@NullMarked
package io.cairn.guest.bhyve.state;

import org.jspecify.annotations.NullMarked;
