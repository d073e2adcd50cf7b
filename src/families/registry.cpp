#include "families/registry.h"

#include <algorithm>

#include "families/wan/wan_family.h"

namespace t2v {
namespace {

std::vector<const Family*>& registered() {
  static std::vector<const Family*> all = {
      &wan_family(),
  };
  return all;
}

}  // namespace

const std::vector<const Family*>& families() { return registered(); }

RegisteredFamily::RegisteredFamily(const Family& family) { registered().push_back(&family); }

RegisteredFamily::~RegisteredFamily() { registered().pop_back(); }

const Family* find_family_of_pipeline(const std::string& class_name) {
  for (const Family* family : families()) {
    const std::vector<std::string>& classes = family->index_format().pipelines;
    if (std::find(classes.begin(), classes.end(), class_name) != classes.end()) return family;
  }
  return nullptr;
}

bool is_index_key(const std::string& key) {
  const auto has_it = [&](const Family* family) {
    const std::vector<IndexKey>& keys = family->index_format().keys;
    const auto is_it = [&](const IndexKey& other) { return other.name == key; };
    return find_part(*family, key) != nullptr || std::any_of(keys.begin(), keys.end(), is_it);
  };
  return std::any_of(families().begin(), families().end(), has_it);
}

std::string models_for(Condition condition) {
  std::string all;
  for (const Family* family : families()) {
    const std::string models = family->models_for(condition);
    all += (all.empty() || models.empty() ? "" : ", or ") + models;
  }
  return all;
}

bool is_tokenizer(const std::string& part) {
  return std::any_of(families().begin(), families().end(), [&](const Family* family) {
    const PartKind* kind = find_part(*family, part);
    return kind != nullptr && kind->weights.empty();
  });
}

bool encodes_text(const std::string& part) {
  return is_tokenizer(part) || std::any_of(families().begin(), families().end(), [&](const Family* family) {
           const PartKind* kind = find_part(*family, part);
           return kind != nullptr && !kind->tokenizer.empty();
         });
}

std::string any_part() {
  std::string all;
  for (const Family* family : families()) {
    std::vector<std::string> names;
    for (const PartKind& part : family->parts()) {
      std::string name = part.name == "vae" ? "VAE" : part.name;
      std::replace(name.begin(), name.end(), '_', ' ');
      if (!part.weights.empty() && part.twin.empty()) names.push_back(name);
    }
    all += all.empty() ? "a " : ", or a ";
    for (size_t i = 0; i < names.size(); ++i)
      all += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + names[i];
    all += " of a " + family->name() + " model";
  }
  return all;
}

std::string any_model() {
  std::string names;
  for (const Family* family : families()) names += (names.empty() ? "a " : " or ") + family->name();
  return names + " model";
}

}  // namespace t2v
