@NullMarked
package io.cairn.guest.bhyve;

import org.jspecify.annotations.NullMarked;
