#pragma once

#include "files/checkpoints/checkpoint.h"

namespace t2v {

/// Error (kInput) for parts that cannot work together, told by name: the VAE, the text encoder, the image
/// encoder or the second expert of another model than the transformer. Looks at what is there.
void check_parts(const Checkpoint& checkpoint);

}  // namespace t2v
