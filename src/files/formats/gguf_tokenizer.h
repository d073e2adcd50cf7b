#pragma once

#include <string>

#include "files/formats/tensor_file.h"

namespace t2v {

/// The vocabulary that a GGUF file of a T5 encoder brings, as a serialized SentencePiece model; "" if it
/// brings none. Error (kInput) for lists that do not belong together.
std::string gguf_spiece_model(const TensorFile& file);

}  // namespace t2v
