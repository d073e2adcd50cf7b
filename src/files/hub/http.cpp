#include "files/hub/http.h"

#include <algorithm>
#include <cstdlib>
#include <exception>

#include <curl/curl.h>

#include "t2v/error.h"
#include "t2v/run.h"

namespace t2v {
namespace {

constexpr int kMostRedirects = 10;
constexpr size_t kMostHeaders = 1000;
constexpr const char* kUserAgent = "t2v";

Error network_error(const std::string& url, const std::string& got, const std::string& expected,
                    const std::string& advice) {
  return Error(
      ErrorCode::kNetwork,
      {.doing = "downloading " + shown_url(url), .got = got, .expected = expected, .advice = advice});
}

/// "https://host:443": whom a URL speaks to. Error (kNetwork) for what is no http or https URL.
std::string origin_of(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  std::string origin;
  bool good =
      parsed && curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_DISALLOW_USER) == CURLUE_OK;
  for (const CURLUPart part : {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT}) {
    char* text = nullptr;
    good = good && curl_url_get(parsed.get(), part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK;
    if (text != nullptr)
      origin.append(origin.empty() ? "" : part == CURLUPART_HOST ? "://" : ":").append(text);
    curl_free(text);
  }
  std::transform(origin.begin(), origin.end(), origin.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  good = good && (origin.rfind("https://", 0) == 0 || origin.rfind("http://", 0) == 0);
  if (!good) throw network_error(url, "an address of another kind", "https://HOST/...", "");
  return origin;
}

bool is_redirect(long status) { return (status >= 301 && status <= 303) || status == 307 || status == 308; }

bool is_transient(long status) { return status == 408 || status == 416 || status == 429 || status >= 500; }

/// Errors of libcurl that stay as they are however often one tries.
bool is_final(CURLcode code) {
  return code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
         code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_OUT_OF_MEMORY;
}

}  // namespace

std::string HttpResponse::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found != headers.end() ? found->second : "";
}

std::string shown_url(const std::string& url) { return url.substr(0, url.find('?')); }

/// One request and what its callbacks, which libcurl calls, need. An exception may not cross libcurl.
struct HttpClient::Transfer {
  std::string url;
  const OnHead& on_head;
  const OnBody& on_body;
  const std::atomic<bool>* stop;
  HttpResponse response = {};
  bool told_head = false;
  std::exception_ptr thrown = nullptr;

  bool has_content() const { return response.status == 200 || response.status == 206; }
  bool stopped() const { return stop != nullptr && *stop; }
  void tell_head() {
    if (!told_head) on_head(response);
    told_head = true;
  }

  static size_t on_header(char* bytes, size_t, size_t count, void* self) {
    HttpResponse& response = static_cast<Transfer*>(self)->response;
    if (response.headers.size() >= kMostHeaders) return 0;  // ends the transfer
    std::string line(bytes, count);
    line.erase(line.find_last_not_of("\r\n") + 1);
    if (line.rfind("HTTP/", 0) == 0) {
      response = {.status = std::strtol(line.c_str() + std::min(line.find(' '), line.size()), nullptr, 10),
                  .headers = {}};
    } else if (const size_t colon = line.find(':'); colon != std::string::npos) {
      std::string name = line.substr(0, colon);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
      const size_t value = line.find_first_not_of(" \t", colon + 1);
      response.headers[name] = value == std::string::npos ? "" : line.substr(value);
    }
    return count;
  }

  static size_t on_write(char* bytes, size_t, size_t count, void* self) {
    Transfer& transfer = *static_cast<Transfer*>(self);
    if (!transfer.has_content()) return count;
    try {
      transfer.tell_head();
      transfer.on_body({bytes, count});
      return count;
    } catch (...) {
      transfer.thrown = std::current_exception();
      return CURL_WRITEFUNC_ERROR;
    }
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Transfer*>(self)->stopped() ? 1 : 0;
  }
};

HttpClient::HttpClient(HttpOptions options) : options_(std::move(options)) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised == CURLE_OK) curl_ = curl_easy_init();
  if (curl_ == nullptr) throw Error(ErrorCode::kBug, {.doing = "starting libcurl"});
  endpoint_origin_ = origin_of(options_.endpoint);
}

HttpClient::~HttpClient() { curl_easy_cleanup(curl_); }

void HttpClient::perform(Transfer& transfer, int64_t offset) {
  curl_easy_reset(curl_);
  const auto set = [this](CURLoption option, auto value) { curl_easy_setopt(curl_, option, value); };
  const long timeout = static_cast<long>(options_.timeout_seconds);
  set(CURLOPT_URL, transfer.url.c_str());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, timeout);
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, timeout);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_USERAGENT, kUserAgent);
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_write);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  set(CURLOPT_XFERINFODATA, &transfer);
  const std::string range = std::to_string(offset) + "-";
  if (offset > 0) set(CURLOPT_RANGE, range.c_str());
  if (!options_.token.empty() && origin_of(transfer.url) == endpoint_origin_) {
    set(CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    set(CURLOPT_XOAUTH2_BEARER, options_.token.c_str());
  }
  const CURLcode code = curl_easy_perform(curl_);
  if (transfer.thrown) std::rethrow_exception(transfer.thrown);
  if (transfer.stopped()) throw Stopped{};
  if (code == CURLE_OK) return;
  if (is_final(code)) throw network_error(transfer.url, curl_easy_strerror(code), "an answer", "");
  throw TransferFailed{.reason = curl_easy_strerror(code)};
}

void HttpClient::get(const std::string& url, int64_t offset, const OnHead& on_head, const OnBody& on_body) {
  Transfer transfer{.url = url, .on_head = on_head, .on_body = on_body, .stop = options_.stop};
  for (int redirects = 0;; ++redirects) {
    perform(transfer, offset);
    const long status = transfer.response.status;
    if (!is_redirect(status)) break;
    char* target = nullptr;
    curl_easy_getinfo(curl_, CURLINFO_REDIRECT_URL, &target);
    if (target == nullptr || redirects == kMostRedirects) {
      throw network_error(url, target == nullptr ? "a redirect to nowhere" : "redirects without end",
                          "the file", "");
    }
    const std::string next = target;
    const std::string origin = origin_of(next);  // refuses file:// and whatever else libcurl speaks
    const bool downgrade = origin_of(transfer.url).rfind("https:", 0) == 0 && origin.rfind("https:", 0) != 0;
    if (downgrade) throw network_error(url, "a redirect from https to " + shown_url(next), "https", "");
    transfer.url = next;
  }
  const long status = transfer.response.status;
  if (transfer.has_content()) return transfer.tell_head();
  const std::string got = "status " + std::to_string(status);
  if (is_transient(status)) {
    const double wait = std::strtod(transfer.response.header("retry-after").c_str(), nullptr);
    throw TransferFailed{.reason = got, .status = status, .retry_after = wait};
  }
  const bool access = status == 401 || status == 403;
  throw network_error(url, got, "the file",
                      access
                          ? "the repository may not exist, or needs a token that may read it (HF_TOKEN) and "
                            "its licence accepted on " +
                                options_.endpoint
                      : status == 404 ? "check the name and the revision"
                                      : "");
}

std::string HttpClient::get_text(const std::string& url, size_t largest) {
  std::string text;
  get(
      url, 0, [](const HttpResponse&) {},
      [&](std::string_view bytes) {
        if (text.size() + bytes.size() > largest) {
          throw network_error(url, "more than " + std::to_string(largest) + " bytes", "less", "");
        }
        text += bytes;
      });
  return text;
}

}  // namespace t2v
