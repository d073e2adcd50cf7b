#pragma once

#include <string>
#include <vector>

#include "families/family.h"

namespace t2v {

/// The families that t2v knows. Tensors that several families recognise belong to the first of them.
const std::vector<const Family*>& families();

/// The family with a pipeline of this class; nullptr if there is none.
const Family* find_family_of_pipeline(const std::string& class_name);

/// Whether a family has this key in model_index.json: the name of a part, or a setting of the pipeline.
bool is_index_key(const std::string& key);

/// Models of all families that use a condition, for messages: "a VACE model".
std::string models_for(Condition condition);

/// Whether a part of any family with this name is a tokenizer: it has no weights.
bool is_tokenizer(const std::string& part);
/// Whether a part of any family with this name is a text encoder or a tokenizer.
bool encodes_text(const std::string& part);

/// The parts with weights of all families, for messages: "a transformer, VAE or text encoder of a ... model".
std::string any_part();

/// A model of any family, for messages.
std::string any_model();

/// For tests: adds a family behind the others as long as this lives.
class RegisteredFamily {
 public:
  explicit RegisteredFamily(const Family& family);
  RegisteredFamily(const RegisteredFamily&) = delete;
  RegisteredFamily& operator=(const RegisteredFamily&) = delete;
  ~RegisteredFamily();
};

}  // namespace t2v
